"""A Chromium without a window, driven through the DevTools protocol over a pipe: no driver, no package, no port.

    with Browser() as browser:
        page = browser.open("http://127.0.0.1:4566/_headrace/console")
        page.until("document.querySelector('#log li')")
        page.errors      # what the page threw, logged as an error, or was refused by its policy
BROWSER names the program; else the usual names are tried. `found()` is None where there is none."""
import base64
import contextlib
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

LIMIT = int(os.environ.get("BROWSER_LIMIT", 60))  # seconds; a sanitizer build on a busy machine is slow
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def found():
    return os.environ.get("BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """One tab. What it shows is asked with expressions in JavaScript."""

    def __init__(self, browser, session, target):
        self.browser, self.session, self.target, self.errors = browser, session, target, []

    def call(self, method, **arguments):
        return self.browser.call(method, self.session, **arguments)

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True,
                           allowUnsafeEvalBlockedByCSP=False)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression, what=None):
        """Waits until the expression is true: it is looked at in each frame that the browser draws."""
        script = ("new Promise((done) => { const end = Date.now() + %d; const look = () => { let value = false; try { value = %s } catch {} "
                  "value || Date.now() > end ? done(value instanceof Node || value || null) : requestAnimationFrame(look) }; look() })")
        value = self.evaluate(script % (LIMIT * 1000, f"({expression})"))
        assert value, f"{what or expression} did not become true: {self.evaluate('document.body.innerText')}"
        return value

    def drop(self, selector, files):
        """Drops files, {name: text}, onto an element."""
        self.evaluate("""(() => { const dataTransfer = new DataTransfer(), at = document.querySelector(%s);
            for (const [name, text] of Object.entries(%s)) dataTransfer.items.add(new File([text], name, {type: "text/plain"}));
            for (const kind of ["dragenter", "dragover", "drop"]) at.dispatchEvent(new DragEvent(kind, {dataTransfer, bubbles: true, cancelable: true})) })()"""
                      % (json.dumps(selector), json.dumps(files)))

    def key(self, name):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, text="\r" if name == "Enter" and kind == "keyDown" else "",
                      windowsVirtualKeyCode={"Enter": 13, "Tab": 9}.get(name, 0))

    def picture(self, path, width=1300, height=900, dark=False, whole=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        pathlib.Path(path).write_bytes(base64.b64decode(answer["data"]))


class Browser:
    def __init__(self, program=None):
        self.program = program or found()
        self.number, self.rest, self.pages = 0, b"", {}

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="headrace-browser-", ignore_cleanup_errors=True)
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
                 f"--user-data-dir={self.folder.name}", "about:blank"]
        # The protocol's pipes are descriptors 3 (to the browser) and 4 (from it).
        shell = f'exec 8<&{commands} 9>&{answers}; exec 3<&8 4>&9 8<&- 9>&-; exec "$0" "$@"'
        self.process = subprocess.Popen(["bash", "-c", shell, self.program, *flags], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, pass_fds=(commands, answers), start_new_session=True)
        os.close(commands), os.close(answers)
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Exception):
            self.call("Browser.close")
        os.close(self.commands), os.close(self.answers)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def receive(self, deadline):
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.answers], [], [], max(0, deadline - time.monotonic()))
            block = os.read(self.answers, 1 << 20) if ready else b""
            if not block:
                raise AssertionError("the browser does not answer" if ready else "the browser is too slow")
            self.rest += block
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **arguments):
        self.number += 1
        wish = {"id": self.number, "method": method, "params": arguments, **({"sessionId": session} if session else {})}
        os.write(self.commands, json.dumps(wish).encode() + b"\0")
        deadline = time.monotonic() + 2 * LIMIT
        while (message := self.receive(deadline)).get("id") != self.number:
            self.note(message)
        assert "error" not in message, (method, message["error"])
        return message["result"]

    def note(self, message):
        page, what = self.pages.get(message.get("sessionId")), message.get("params", {})
        if not page:
            return
        if message["method"] == "Runtime.exceptionThrown":
            page.errors.append(what["exceptionDetails"].get("exception", {}).get("description") or what["exceptionDetails"]["text"])
        elif message["method"] == "Log.entryAdded" and what["entry"]["level"] == "error":
            page.errors.append(f"{what['entry']['text']} {what['entry'].get('url', '')}")
        elif message["method"] == "Page.javascriptDialogOpening":
            page.errors.append(f"dialog: {what['message']}")

    def open(self, url):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self.pages[session] = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        page.call("Page.navigate", url=url)
        return page

    def close_pages(self):
        for page in self.pages.values():
            self.call("Target.closeTarget", targetId=page.target)
        self.pages.clear()
