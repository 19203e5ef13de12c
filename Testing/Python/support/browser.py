"""Headless Chromium for tests of pages, spoken to over the DevTools pipe: no driver, no network."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import parts

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, "End": 35, "ArrowUp": 38, "ArrowDown": 40, "Backspace": 8}


class PageError(AssertionError):
    """The page, or a script that a test ran in it, failed."""


class Browser:
    """One window; ``open_browser`` makes it."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._out = os.fdopen(to_browser, "wb")
        self._in = os.fdopen(from_browser, "rb")
        self._number = 0
        self._number_of_dialogs = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self._call(f"{domain}.enable")

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        self._out.flush()
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise PageError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def _receive(self) -> dict[str, Any]:
        pieces = bytearray()
        while (byte := self._in.read(1)) != b"\0":
            if not byte:
                raise PageError("Chromium has gone")
            pieces += byte
        message: dict[str, Any] = json.loads(pieces)
        if message.get("method") == "Page.javascriptDialogOpening":
            # A page that asks before it is left is left; whoever waits for the answer must not wait for ever.
            self._number_of_dialogs += 1
            answer = {
                "id": -self._number_of_dialogs,
                "method": "Page.handleJavaScriptDialog",
                "params": {"accept": True},
            }
            self._out.write(json.dumps({**answer, "sessionId": self._session}).encode() + b"\0")
            self._out.flush()
        return message

    def open(self, page: Path, fragment: str = "", *, size: tuple[int, int] = (1400, 900), dark: bool = False) -> None:
        """Load a page and wait until it is ready."""
        self._call(
            "Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])
        # Through a blank page, so that a new fragment loads the page anew.
        self._go("about:blank")
        self.events.clear()
        self._go(page.absolute().as_uri() + fragment)

    def _go(self, address: str) -> None:
        self._call("Page.navigate", url=address)
        while True:
            event = self._receive()
            self.events.append(event)
            if event.get("method") == "Page.loadEventFired":
                return

    def scripts(self, allowed: bool) -> None:
        """Let pages run scripts or not, as a careful browser does."""
        self._call("Emulation.setScriptExecutionDisabled", value=not allowed)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; promises are waited for."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise PageError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key as a person does."""
        code = {"key": key, "code": key, "windowsVirtualKeyCode": _KEYS.get(key, ord(key[0].upper()))}
        text = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
        self._call("Input.dispatchKeyEvent", type="keyDown", **code, **text)
        self._call("Input.dispatchKeyEvent", type="keyUp", **code)

    def click(self, selector: str) -> None:
        """Click with the mouse in the middle of an element, as a person does."""
        place = self.evaluate(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center'});"
            " const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def downloads_to(self, folder: Path) -> None:
        """Put what pages save into a folder."""
        self._call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self._call("Input.insertText", text=text)

    def spoken(self) -> list[tuple[str, str]]:
        """(role, name) of everything that a screen reader finds, in order."""
        nodes = self._call("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]

    def screenshot(self) -> bytes:
        """The window as PNG."""
        return base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])

    def paper(self, on: bool) -> None:
        """Show the page as it is printed, or as it is on a screen."""
        self._call("Emulation.setEmulatedMedia", media="print" if on else "", features=[])

    def printed(self) -> bytes:
        """The page as PDF, as a printer gets it."""
        return base64.b64decode(self._call("Page.printToPDF", landscape=True)["data"])

    def requests(self) -> list[str]:
        """Addresses that the page has asked for since it was opened, less those that hold their own data."""
        sent = [event for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        addresses = [event["params"]["request"]["url"] for event in sent]
        return [address for address in addresses if not address.startswith("data:")]

    def complaints(self) -> list[str]:
        """Errors and warnings that the page has caused since it was opened."""
        found = []
        for event in self.events:
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(str(event["params"]["exceptionDetails"]))
            elif event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] != "verbose":
                found.append(event["params"]["entry"]["text"])
        return found


@contextlib.contextmanager
def open_browser() -> Iterator[Browser]:
    """Start Chromium; skips the test without it, or fails it in CI."""
    program = shutil.which("chromium") or shutil.which("google-chrome") or parts.need_program("chromium")
    if os.name == "nt":
        parts.missing("needs pipes as POSIX has them")
    commands_in, commands_out = os.pipe()
    answers_in, answers_out = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # Chromium reads commands from 3 and writes answers to 4; a shell puts them there.
        plumbing = f'exec "$0" "$@" 3<&{commands_in} 4>&{answers_out}'
        process = subprocess.Popen(
            ["bash", "-c", plumbing, program, *_FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(commands_in, answers_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands_in)
        os.close(answers_out)
        try:
            yield Browser(commands_out, answers_in)
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
