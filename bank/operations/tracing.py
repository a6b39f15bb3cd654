"""Spans of requests to OpenTelemetry, where the setting `tracing` asks for them.

The packages are imported only then. A span has the route's template, the method and the status,
never an address: the ready-made instrumentation would send the whole URL.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from bank.errors import BadSetup

Told = Callable[[str, str, int], str]


def start_tracing() -> Callable[[], AbstractContextManager[Told]]:
    """What begins a span; BadSetup if the extra is not installed.

    Where spans go is said by OpenTelemetry's own variables, such as OTEL_EXPORTER_OTLP_ENDPOINT.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise BadSetup(
            "tracing is on and OpenTelemetry is not installed: install creditbank[otel], or set "
            "tracing to false"
        ) from error
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("creditbank")

    @contextmanager
    def span() -> Iterator[Told]:
        # What it is of is known at its end. An error's text may hold anything, so it stays out.
        with tracer.start_as_current_span(
            "request", record_exception=False, set_status_on_exception=False
        ) as current:

            def told(method: str, route: str, status: int) -> str:
                current.update_name(f"{method} {route}")
                current.set_attribute("http.request.method", method)
                current.set_attribute("http.route", route)
                current.set_attribute("http.response.status_code", status)
                return format(current.get_span_context().trace_id, "032x")

            yield told

    return span
