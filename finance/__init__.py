"""The month: statements, exports, invoices and exchange rates."""
