"""A headless Chromium, driven over a pipe by the DevTools protocol, which needs no package."""

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import time

__all__ = ["Browser", "chromium"]


def chromium():
    """The command, or None."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


class Browser:
    """One page of one browser, with a profile of its own below `folder`. Use it in a `with`."""

    def __init__(self, folder, seconds=60):
        self.seconds, self.number, self.rest, self.events = seconds, 0, b"", []
        theirs_in, self.ours_out = os.pipe()
        self.ours_in, theirs_out = os.pipe()
        # The browser reads commands from descriptor 3 and answers on 4.
        inner = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self.process = subprocess.Popen(
            [
                "bash",
                "-c",
                inner,
                "bash",
                chromium(),
                *_FLAGS,
                f"--user-data-dir={folder}",
                "about:blank",
            ],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.session = None

    def __enter__(self):
        try:
            target = next(
                one
                for one in self.call("Target.getTargets")["targetInfos"]
                if one["type"] == "page"
            )
            self.session = self.call(
                "Target.attachToTarget", targetId=target["targetId"], flatten=True
            )["sessionId"]
            self.call("Page.enable")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        os.close(self.ours_out)
        os.close(self.ours_in)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # the group that this started
        except ProcessLookupError:
            pass
        self.process.wait()

    def call(self, method, **params):
        """What the browser answers to a command."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.ours_out, json.dumps(message).encode() + b"\0")
        ends = time.monotonic() + self.seconds
        while True:
            answer = self._next(ends)
            if answer.get("id") == self.number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def _next(self, ends):
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.ours_in], [], [], max(0, ends - time.monotonic()))
            assert ready, "the browser did not answer in time"
            data = os.read(self.ours_in, 1 << 20)
            assert data, "the browser ended"
            self.rest += data
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def open(self, path, width=1200, height=900, dark=False, forced=False):
        """Shows a file at a size, and waits until it is there."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "forced-colors", "value": "active" if forced else "none"},
        ]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.events.clear()
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=0, y=0)
        self.call("Page.navigate", url=path.resolve().as_uri())
        ends = time.monotonic() + self.seconds
        while not any(one.get("method") == "Page.loadEventFired" for one in self.events):
            self.events.append(self._next(ends))

    def value(self, expression):
        """What an expression of JavaScript gives, looked at from outside the page."""
        found = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def point(self, selector):
        """Moves the mouse onto the first element of that kind."""
        self.value(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center'}})")
        x, y = self.value(
            f"(r => [r.x + r.width / 2, r.y + r.height / 2])"
            f"(document.querySelector({selector!r}).getClientRects()[0])"
        )
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def press(self, key):
        """A key, down and up."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, **_CODES[key])

    def picture(self, whole=True):
        """A PNG of the page."""
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(found["data"])


_NAMES = ("chromium", "chromium-browser", "google-chrome")
_CODES = {"Tab": {"windowsVirtualKeyCode": 9}}

_FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
--disable-background-networking --disable-component-update --hide-scrollbars
--remote-debugging-pipe""".split()
