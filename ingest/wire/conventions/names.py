"""Names that say nothing of the product (frameworks, HTTP, gateways), and how applications spell keys."""

import re

_FRAMEWORKS = (
    "RunnableSequence RunnableParallel RunnableLambda RunnableMap RunnableBranch RunnableAssign",
    "RunnableRetry RunnableWithFallbacks RunnablePassthrough LangGraph CompiledStateGraph AgentExecutor",
    "ChatPromptTemplate StrOutputParser JsonOutputParser PydanticOutputParser __start__ __end__",
    "invoke_agent invoke_workflow agent_step execute_tool execute_task create_agent",
    "router auth self proxy_pre_call redis postgres raw_gen_ai_request litellm_request",
    "completion acompletion Completion ChatCompletion CreateEmbeddings OpenAI-generation OpenAI-embedding",
    "ChatOpenAI AzureChatOpenAI ChatAnthropic ChatGoogleGenerativeAI ChatVertexAI ChatBedrock OpenAIEmbeddings",
)
FRAMEWORK_NAMES = frozenset(name for names in _FRAMEWORKS for name in names.split()) | {
    "Received Proxy Server Request",
    "Failed Proxy Server Request",
    "agent run",
}

_METHODS = "GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|CONNECT|TRACE|HTTP|WEBSOCKET"
_HTTP_NAME = re.compile(rf"(?:{_METHODS})(?:[ /:].*)?$|https?://|/", re.DOTALL)
_HTTP_SCOPE = re.compile(
    r"(?:^|\.|/|-)(?:httpx|urllib3?|requests|aiohttp|undici|http|https|fetch|asgi|wsgi|grpc)\b"
)
_OPERATION_NAME = re.compile(r"(?:invoke_workflow|invoke_agent|execute_tool|create_agent) (.+)", re.DOTALL)
VECTOR_STORES = frozenset(
    (
        "pinecone", "qdrant", "chroma", "chromadb", "weaviate", "milvus", "lancedb", "marqo", "vespa",
        "opensearch", "faiss", "turbopuffer",
    )
)  # fmt: skip

# Keys of metadata as applications write them, lower-cased and without separators -> context.
APP_KEYS: dict[str, str] = {
    spelling: key
    for key, spellings in {
        "flow": "flow flowname flowid workflow workflowname",
        "feature": "feature featurename",
        "step": "step stepname",
        "customer": "customer customerid customername tenant tenantid org orgid organization organizationid "
        "organisation organisationid account accountid",
        "user": "user userid enduser enduserid langfuseuserid",
        "session": "session sessionid chat chatid thread threadid conversation conversationid "
        "langfusesessionid",
        "environment": "environment env deploymentenvironment",
        "release": "release releaseid appversion",
        "prompt": "prompt promptname promptkey",
        "prompt_version": "promptversion",
        "retrieval": "retrieval retrievalversion indexversion",
        "outcome": "outcome",
    }.items()
    for spelling in spellings.split()
}
_SEPARATORS = str.maketrans("", "", "_-. ")
_IGNORED_KEY = re.compile(
    r"ls_|lc_|langgraph_|langfuse|__|scope|attributes|resourceAttributes|checkpoint|thread_ts"
)


def is_framework(name: str) -> bool:
    """Whether the name belongs to a framework, a gateway or HTTP, so that it names no flow and no step."""
    return name in FRAMEWORK_NAMES or name.startswith("ai.") or is_http(name)


def is_http(name: str) -> bool:
    """Whether a span's name is that of an HTTP request: `POST /tickets`, `GET`, a URL."""
    return _HTTP_NAME.match(name) is not None


def is_http_scope(scope: str) -> bool:
    """Whether an instrumentation scope traces HTTP itself."""
    return _HTTP_SCOPE.search(scope) is not None


def plain_name(name: str) -> str:
    """A span's name without the operation before it: `invoke_workflow triage` -> `triage`."""
    found = _OPERATION_NAME.match(name)
    return found.group(1) if found else name


def app_key(key: str) -> str | None:
    """The context key that an application's own metadata key means, or None: it is a tag."""
    return APP_KEYS.get(key.lower().translate(_SEPARATORS))


def is_noise(key: str) -> bool:
    """Whether a framework put the key there."""
    return _IGNORED_KEY.match(key) is not None
