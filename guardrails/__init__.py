"""What acts before the invoice: budgets, alert rules, channels and deliveries."""
