"""The web console: its files and their headers, and in a browser (where there is one) that it shows what it should and runs
nothing of what others wrote."""
import json
import pathlib
import re

import pytest
from harness import ROOT, Server
from browser import Browser, found

PAGE = "/_headrace/console"
FILES = sorted((ROOT / "src/console").iterdir())
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
POLICY = ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:",
          "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"]


def ask(server, method, path, **headers):
    connection = server.connect()
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


@pytest.fixture(scope="module")
def server():
    with Server("--workers", "2") as server:
        yield server


# ---- files ----

@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_is_served_as_it_is(server, file):
    status, headers, body = ask(server, "GET", f"{PAGE}/{file.name}")
    assert status == 200 and body == file.read_bytes()
    assert headers["content-type"] == TYPES[file.suffix]
    status, again, body = ask(server, "HEAD", f"{PAGE}/{file.name}")
    assert status == 200 and body == b"" and again["content-length"] == headers["content-length"] == str(file.stat().st_size)


@pytest.mark.parametrize("path", [PAGE, PAGE + "/", PAGE + "/index.html", PAGE + "?x=1"])
def test_the_page_is_there(server, path):
    status, headers, body = ask(server, "GET", path)
    assert status == 200 and body == (ROOT / "src/console/index.html").read_bytes()


@pytest.mark.parametrize("path", ["/nothing.js", "/../status", "/app.js/", "/%61pp.js", "/index.html/..", "//app.js"])
def test_no_other_name_is_a_file(server, path):
    status, headers, body = ask(server, "GET", PAGE + path)
    assert status == 404 and json.loads(body)["error"] == "the console has no such file"


def test_the_page_only_reads(server):
    for method in ("POST", "PUT", "DELETE"):
        assert ask(server, method, PAGE)[0] == 405


def test_a_wrong_method_is_told_the_right_ones(server):
    status, headers, body = ask(server, "DELETE", "/_headrace/clock")
    assert (status, headers["allow"]) == (405, "GET, POST") and "takes GET, POST" in json.loads(body)["error"]
    assert ask(server, "GET", "/_headrace/reset")[1]["allow"] == "POST"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_the_page_may_do_is_said_with_every_file(server, file):
    _, headers, _ = ask(server, "GET", f"{PAGE}/{file.name}")
    assert headers["content-security-policy"].split("; ") == POLICY
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer" and headers["cache-control"] == "no-cache"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_no_file_makes_markup_of_text_or_reaches_outside():
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function|srcdoc|javascript:|createContextualFragment")
    outside = re.compile(r"""(?:https?:)?//[a-z0-9]""")
    for file in FILES:
        text = file.read_text()
        assert not forbidden.search(text), file.name
        places = [found for found in outside.findall(re.sub(r'(?m)^\s*//.*$|[a-z0-9]+://bucket|"s3://my-bucket"', "", text))]
        assert file.suffix == ".svg" or not [one for one in places if one.startswith("http")], file.name
        assert len(text.splitlines()) <= 600, file.name
    page = (ROOT / "src/console/index.html").read_text()
    assert not re.search(r"<script>|<style|\son\w+=|style=", page)


# ---- who is sent there ----

@pytest.mark.parametrize("accept,moved", [("text/html,application/xhtml+xml,*/*;q=0.8", True), ("*/*", False), ("application/json", False), (None, False)])
def test_browsers_that_ask_for_the_list_are_sent_to_the_page(server, accept, moved):
    status, headers, body = ask(server, "GET", "/_headrace", **({"Accept": accept} if accept else {}))
    if moved:
        assert (status, headers["location"], headers["vary"]) == (302, PAGE, "Accept")
    else:
        assert status == 200 and PAGE in [one["path"] for one in json.loads(body)["endpoints"]]


def test_the_bare_address_is_the_page_for_browsers_and_the_buckets_for_all_others(server):
    status, headers, _ = ask(server, "GET", "/", Accept="text/html,*/*;q=0.8")
    assert (status, headers["location"]) == (302, PAGE)
    signed = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    for wanted in ({}, {"Accept": "*/*"}, {"Accept": "text/html", "Authorization": signed}):
        status, headers, body = ask(server, "GET", "/", **wanted)
        assert status == 200 and b"<ListAllMyBucketsResult" in body, wanted
    assert b"<ListAllMyBucketsResult" in ask(server, "GET", "/?x-id=ListBuckets", Accept="text/html")[2]


def test_a_browser_that_asks_for_the_list_as_json_gets_it(server):
    status, headers, body = ask(server, "GET", "/_headrace?format=json", Accept="text/html")
    assert status == 200 and headers["content-type"] == "application/json" and json.loads(body)["endpoints"]


def test_settings_tell_what_the_server_was_started_with():
    with Server("--dropzone", "uploads", "--jobs-queue", "work", "--prefix", "new/", "--auth", "enforce", "--account", "111122223333", "--max-receives", "2") as server:
        status, settings = server.json("GET", "/_headrace/settings")
        assert status == 200
        assert (settings["auth"], settings["account"], settings["region"], settings["trace"]) == ("enforce", "111122223333", "us-east-1", True)
        assert [settings["pipeline"][name] for name in ("dropzone", "jobsQueue", "prefix", "maxReceives")] == ["uploads", "work", "new/", 2]
    with Server("--no-pipeline", "--trace", "off", "--lint", "off") as server:
        _, settings = server.json("GET", "/_headrace/settings")
        assert (settings["pipeline"], settings["trace"], settings["lint"], settings["auth"]) == (None, False, False, "off")


def test_a_rule_that_matches_everything_is_listed_as_json():
    with Server("--no-pipeline") as server:
        assert server.json("POST", "/_headrace/faults", {})[0] == 201
        assert server.json("GET", "/_headrace/faults")[1]["rules"] == [{"id": "fault-1", "matched": 0, "fired": 0}]


def test_status_tells_clock_newest_event_and_addresses_of_queues(server):
    _, status = server.json("GET", "/_headrace/status")
    assert status["clock"]["mode"] == "real" and status["clock"]["now"].endswith("Z")
    assert status["lastEvent"] >= 0
    for queue in status["queues"]:
        assert queue["url"] == f"{server.endpoint}/{queue['account']}/{queue['name']}"


# ---- the stream ----

def stream(server, path, **headers):
    connection = server.connect()
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def events_of(answer, n):
    seen = []
    while len(seen) < n:
        line = answer.readline().decode()
        if line.startswith("data: "):
            seen.append(json.loads(line[6:]))
    return seen


def test_the_stream_begins_before_there_is_an_event():
    with Server("--no-pipeline") as server:
        answer = stream(server, "/_headrace/events")
        assert answer.status == 200 and answer.readline() == b":\n"
        answer.close()


def test_a_stream_goes_on_where_it_was_and_starts_anew_with_a_new_server():
    with Server("--no-pipeline") as server:
        for name in ("one", "two", "three"):
            ask(server, "PUT", f"/{name}")
            ask(server, "PUT", f"/{name}/key")
        everything = events_of(stream(server, "/_headrace/events?after=0"), 6)
        last = everything[2]["seq"]
        for path, headers in (("?after=%d" % last, {}), ("", {"Last-Event-ID": str(last)})):
            assert events_of(stream(server, "/_headrace/events" + path, **headers), 3) == everything[3:]
        for path, headers in (("?after=1000000", {}), ("", {"Last-Event-ID": "1000000"}), ("?after=-5", {})):
            assert events_of(stream(server, "/_headrace/events" + path, **headers), 6) == everything


# ---- in a browser ----

@pytest.fixture(scope="module")
def browser():
    if not found():
        pytest.skip("no Chromium here; BROWSER may name one")
    with Browser() as browser:
        yield browser


@pytest.fixture(autouse=True)
def pages(request):
    """A page that a test leaves open would go on asking the next test's server."""
    yield
    if "browser" in request.fixturenames:
        request.getfixturevalue("browser").close_pages()


def console(browser, server, hash=""):
    page = browser.open(f"{server.endpoint}{PAGE}{hash}")
    page.until("document.querySelector('#connection').textContent == 'live'")
    return page


HOSTILE = ["<img src=x onerror=alert(1)>.txt", "<script>alert(2)</script>.txt", "\"><svg onload=alert(3)>.txt", "\u202ereversed\u2066.txt", "\U0001f40d" * 20 + ".txt",
           "x" * 1000, "a\nb\tc.txt", "javascript:alert(4)", "a/b/../../up.txt", "./here.txt", "a//b.txt", "100%.txt", "a+b c&d=e?f#g.txt", "'\"`.txt", "\u00e9e\u0301.txt"]
MARKUP = "document.querySelectorAll('#view img, #view script, #view svg, #view iframe, #events img, #events script').length"


def test_a_dropped_file_becomes_a_report(browser, server):
    page = console(browser, server)
    page.drop("#view", {"dropped.txt": "three words here\n"})
    page.until("document.querySelector('.bigs')?.innerText.replace(/\\s+/g, ' ').includes('3 words')")
    assert page.evaluate("document.querySelector('.report a').textContent") == "s3://processed/processed/dropped.txt.report.json"
    page.until("document.querySelector('.tree').innerText.includes('ObjectCreated:Put')")
    page.until("document.querySelector('#log').innerText.includes('dropped.txt')")
    page.until("document.querySelector('#node-processed').innerText.includes('1 object')")
    assert page.errors == []


def test_a_typed_text_is_sent_by_the_keyboard_alone(browser, server):
    page = console(browser, server)
    page.evaluate("document.querySelector('#name').value = 'typed.txt'; document.querySelector('#text').value = 'one two'; document.querySelector('#name').focus()")
    page.key("Enter")
    page.until("document.querySelector('.bigs')?.innerText.replace(/\\s+/g, ' ').includes('2 words')")
    assert page.errors == []


def test_a_page_that_nobody_sees_asks_nothing_and_catches_up(browser, server):
    page = console(browser, server)
    page.evaluate("window.asked = 0; window.Stream = EventSource; for (const name of ['fetch', 'EventSource', 'setTimeout'])"
                  "  window[name] = new Proxy(window[name], {apply: (...call) => (asked++, Reflect.apply(...call)), construct: (...call) => (asked++, Reflect.construct(...call))})")
    seen = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true}); document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(seen % "true")
    page.evaluate("asked = 0")
    for n in range(3):
        ask(server, "PUT", f"/dropzone/incoming/unseen-{n}.txt")
    # Another stream of the same browser has told everything: an open one of the page would have, too.
    page.evaluate("new Promise((done) => { const all = new Stream('/_headrace/events?after=0'); all.onmessage = ({data}) => data.includes('unseen-2.txt') && (all.close(), done()) })")
    assert page.evaluate("asked") == 0
    assert not page.evaluate("document.querySelector('#log').innerText.includes('unseen-')")
    page.evaluate(seen % "false")
    page.until("document.querySelector('#log').innerText.includes('unseen-2.txt')")
    assert page.evaluate("asked") >= 3  # settings, status, events
    assert page.errors == []


def test_more_events_than_anybody_reads_are_counted(browser, server):
    page = console(browser, server)
    page.evaluate("window.hide = (value) => { Object.defineProperty(document, 'hidden', {value, configurable: true}); document.dispatchEvent(new Event('visibilitychange')) }; hide(true)")
    for n in range(60):
        ask(server, "PUT", f"/dropzone/incoming/many-{n}.txt")
    page.evaluate("hide(false)")
    page.until("/^[1-9][0-9,]* events came too fast to be shown$/.test(document.querySelector('#log .skipped')?.textContent)")
    page.until("document.querySelector('#log').innerText.includes('many-59.txt')")
    assert page.evaluate("document.querySelector('#log').children.length") <= 200
    assert page.errors == []


def test_a_reset_asks_first(browser):
    with Server("--workers", "1") as server:
        ask(server, "PUT", "/dropzone/incoming/kept.txt")
        page = console(browser, server, "#state")
        page.evaluate("window.asked = 0; window.confirm = () => { asked++; return window.yes }")
        reset = "document.querySelector('#view .danger').click()"
        page.evaluate(reset)
        assert page.evaluate("asked") == 1 and ask(server, "HEAD", "/dropzone/incoming%2Fkept.txt")[0] == 200
        page.evaluate(f"window.yes = true; {reset}")
        page.until("document.querySelector('#view [role=status]').innerText == 'Everything is empty.'")
        assert ask(server, "HEAD", "/dropzone/incoming%2Fkept.txt")[0] == 404
        assert page.errors == []


def test_snapshots_by_hand(browser, tmp_path):
    with Server("--workers", "1", data_dir=tmp_path / "data") as server:
        ask(server, "PUT", "/dropzone/incoming/kept.txt")
        page = console(browser, server, "#state")
        page.evaluate("window.confirm = () => true")
        page.evaluate("document.querySelector('#snapshot').value = 'mine'; document.querySelector('#view form button').click()")
        page.until("document.querySelector('#view table')?.innerText.includes('mine')")
        ask(server, "DELETE", "/dropzone/incoming%2Fkept.txt")
        page.evaluate("document.querySelector('[data-focus=\"load mine\"]').click()")
        page.until("document.querySelector('#view [role=status]').innerText == 'mine is loaded.'")
        assert ask(server, "HEAD", "/dropzone/incoming%2Fkept.txt")[0] == 200
        page.evaluate("document.querySelector('[data-focus=\"delete mine\"]').click()")
        page.until("document.querySelector('#view').innerText.includes('No snapshot yet')")
        assert page.errors == []


def test_without_a_trace_the_report_comes_all_the_same(browser):
    with Server("--workers", "1", "--trace", "off") as server:
        page = browser.open(f"{server.endpoint}{PAGE}")
        page.until("document.querySelector('#connection').textContent.includes('--trace off')")
        page.evaluate("document.querySelector('button.main').click()")
        page.until("document.querySelector('.bigs')")
        assert page.errors == []


def test_what_comes_to_nothing_says_why(browser, server):
    page = console(browser, server)
    page.evaluate("document.querySelector('#to').value = 's3://dropzone/elsewhere/'; document.querySelector('button.main').click()")
    page.until("document.querySelector('.notice.warn')?.innerText.includes('does not begin with what the notification rule asks for')")
    assert page.errors == []


def test_nothing_that_others_wrote_runs_in_the_page(browser, server):
    """Keys, bodies, messages and errors as markup: shown as text, everywhere."""
    page = console(browser, server)
    page.evaluate("window.alert = (text) => { throw new Error(`alert ${text}`) }")
    page.evaluate("""(async () => { for (const key of %s) await fetch(`/dropzone/${encodeURIComponent("incoming/" + key)}`,
        {method: "PUT", body: key, headers: {"Content-Type": "text/html"}}) })()""" % json.dumps(HOSTILE))
    for key in HOSTILE:
        target = json.dumps(f"s3://dropzone/incoming/{key}")
        shown = "document.querySelector('#view').innerText.replace(/\\s+/g, '')"
        part = json.dumps(re.sub(r"[\n\t\u2066\u202e]", lambda c: f"\u27e8{ord(c[0]):04X}\u27e9", key).replace(" ", "")[-30:])
        for hash in (f"`#trace/${{encodeURIComponent({target})}}`", f"`#object/dropzone/${{encodeURIComponent('incoming/' + {json.dumps(key)})}}`"):
            page.evaluate(f"location.hash = {hash}")
            page.until(f"document.querySelector('#view .tree') && {shown}.includes({part})", key)
            assert page.evaluate(MARKUP) == 0, key
        page.until(f"document.querySelector('#view dl')?.innerText.includes('text/html') && document.querySelector('#view pre')", key)
    for hash in ("#bucket/dropzone", f"#queue/{server.endpoint}/000000000000/results-queue".replace("/000", "%2F000").replace("//", "%2F%2F").replace("/results", "%2Fresults"), "#checks", "#send"):
        page.evaluate(f"location.hash = {json.dumps(hash)}")
        page.until("document.querySelector('#view').childElementCount > 1")
        page.evaluate("document.querySelectorAll('#view details').forEach((one) => one.open = true)")
        assert page.evaluate(MARKUP) == 0, hash
    assert page.errors == []


def test_objects_are_saved_and_never_shown_by_the_page(browser, server):
    page = console(browser, server)
    page.evaluate("fetch('/dropzone/evil.html', {method: 'PUT', body: '<script>fetch(\"/_headrace/reset\", {method: \"POST\"})</script>', headers: {'Content-Type': 'text/html'}})")
    page.evaluate("location.hash = '#object/dropzone/evil.html'")
    path = page.until("document.querySelector('a[download]')?.getAttribute('href')")
    status, headers, _ = ask(server, "GET", path)
    assert status == 200 and headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"] == "attachment; filename*=UTF-8''evil.html"
    page.evaluate("location.hash = '#bucket/dropzone'")
    page.until("document.querySelector('td a[download]')")
    assert page.evaluate("[...document.querySelectorAll('#view a[download]')].every((one) => one.href.includes('response-content-disposition=attachment'))")
    assert page.evaluate("[...document.querySelectorAll('a')].every((one) => /^(#|[/]_headrace[/?]|[/]dropzone[/].*attachment)/.test(one.getAttribute('href')) || one.getAttribute('href') === '/_headrace?format=json')")
    assert page.errors == []


def test_the_policy_holds_in_the_browser(browser, server):
    page = console(browser, server)
    for attack in ("document.body.innerHTML = '<b>x</b>'", "new DOMParser().parseFromString('<b>x</b>', 'text/html')", "eval('1')",
                   "document.createElement('script').src = '/x'", "document.body.setAttribute('onclick', 'done')", "new Function('1')"):
        assert page.evaluate(f"(() => {{ try {{ {attack}; return 'done' }} catch {{ return 'refused' }} }})()") == "refused", attack
    assert page.evaluate("fetch('https://127.0.0.1:9/').then(() => 'done', () => 'refused')") == "refused"


def test_a_trace_by_an_address_typed_by_hand(browser, server):
    ask(server, "PUT", "/dropzone/incoming/by-hand.txt")
    page = console(browser, server, "#trace/s3://dropzone/incoming/by-hand.txt")
    page.until("document.querySelector('#view .tree')?.innerText.includes('by-hand.txt')")
    assert page.evaluate("document.querySelector('#view input').value") == "s3://dropzone/incoming/by-hand.txt"


def test_clock_faults_and_queues_by_hand(browser, server):
    page = console(browser, server, "#faults")
    page.until("document.querySelector('.preset')")
    page.evaluate("[...document.querySelectorAll('.preset')].find((one) => one.textContent.includes('4 deaths')).click()")
    page.evaluate("document.querySelector('#fault-add').click()")
    page.until("document.querySelector('#view table')?.innerText.includes('kill-worker')")
    page.evaluate("fetch('/dropzone/incoming/dying.txt', {method: 'PUT', body: 'x'})")
    page.until("document.querySelector('#view td.number + td.number').textContent == '1'", "the rule fires")
    page.evaluate("location.hash = '#clock'")
    page.until("document.querySelector('#clock')")
    for _ in range(4):
        page.evaluate("document.querySelector('#moved').replaceChildren(); [...document.querySelectorAll('#view button')].find((one) => one.textContent == '+ 1h').click()")
        page.until("document.querySelector('#moved .notice')")
    page.until("document.querySelector('#node-deadLetterQueue').innerText.includes('1 visible')")
    page.evaluate("document.querySelector('#node-deadLetterQueue').click()")
    page.until("document.querySelector('.message summary')").__class__
    page.evaluate("document.querySelector('.message').open = true")
    page.until("document.querySelector('.message pre')?.textContent.includes('incoming/dying.txt')")
    page.evaluate("document.querySelector('.message a').click()")
    page.until("document.querySelector('.notice.warn')?.innerText.includes('dead-letter queue')")
    server.json("DELETE", "/_headrace/faults")
    server.json("POST", "/_headrace/clock", {"real": True})
    assert page.errors == []


def test_a_server_that_goes_is_missed_and_found_again(browser, tmp_path):
    with Server("--workers", "1", data_dir=tmp_path / "data") as server:
        page = console(browser, server)
        port = server.port
        server.kill()
        page.until("document.querySelector('#connection').textContent == 'server gone' && !document.querySelector('#gone').hidden")
    with Server("--workers", "1", data_dir=tmp_path / "data", port=port) as server:
        page.until("document.querySelector('#connection').textContent == 'live' && document.querySelector('#gone').hidden")


def test_signed_servers_are_explained(browser):
    with Server("--auth", "enforce") as server:
        page = console(browser, server)
        page.until("document.querySelector('#view .notice')?.innerText.includes('--auth enforce')")
        page.evaluate("location.hash = '#bucket/dropzone'")
        page.until("document.querySelector('#view').innerText.includes('AccessDenied')")
        page.evaluate("location.hash = '#queue/' + encodeURIComponent(location.origin + '/000000000000/jobs-queue')")
        page.until("document.querySelector('#view').innerText.includes('The queue is empty')")
