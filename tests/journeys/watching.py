"""Everything a browser complains of, collected so that a test can say there was none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, Request, Response

REPORT_CSP = "document.addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective))"


@dataclass
class Watch:
    """What went wrong in a browser context; `expected` are parts of console messages that a test brings about."""

    context: BrowserContext
    address: str
    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.add_init_script(REPORT_CSP)
        self.context.on("console", self._console)
        self.context.on("weberror", lambda error: self.complaints.append(f"error on the page: {error.error}"))
        self.context.on("dialog", self._dialog)
        self.context.on("request", self._request)
        self.context.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(part in message.text for part in self.expected):
            self.complaints.append(f"console: {message.text} {message.location.get('url', '')}")

    def _dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.type} {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.address).netloc:
            self.complaints.append(f"request to another host: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status} {response.url}")

    def page(self) -> Page:
        """A page whose waits are short: what takes longer than this is a fault."""
        page = self.context.new_page()
        page.set_default_timeout(5000)
        return page


Visit = Callable[..., Watch]
