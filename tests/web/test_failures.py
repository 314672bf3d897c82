import httpx
import pytest

from cadenza.core.errors import Kind
from cadenza.web import failures
from cadenza.web.failures import STATUS

PROGRAM = {"accept": "application/json"}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.UNAUTHENTICATED])
async def test_an_error_is_a_page_for_people(browser: httpx.AsyncClient, kind: Kind) -> None:
    answer = await browser.get(f"/error/{kind}")
    assert answer.status_code == STATUS[kind]
    assert answer.headers["content-type"].startswith("text/html")
    assert "What happened &lt;script&gt;x&lt;/script&gt;." in answer.text
    assert "Do this." in answer.text
    assert "&lt;b&gt;is no e-mail address&lt;/b&gt;" in answer.text
    assert answer.headers["x-request-id"] in answer.text


@pytest.mark.parametrize("headers", [PROGRAM, {"accept": "text/html", "hx-request": "true"}])
@pytest.mark.parametrize("kind", Kind)
async def test_an_error_is_problem_details_for_programs(
    browser: httpx.AsyncClient, kind: Kind, headers: dict[str, str]
) -> None:
    answer = await browser.get(f"/error/{kind}", headers=headers)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "What happened <script>x</script>.",
        "status": STATUS[kind],
        "detail": "Do this.",
        "code": "a_code",
        "fix": "Do this.",
        "problems": [
            {"message": "<b>is no e-mail address</b>", "line": 7, "key": "email", "code": "invalid"}
        ],
        "id": answer.headers["x-request-id"],
    }


async def test_who_is_not_signed_in_is_sent_to_log_in_and_back(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/error/unauthenticated?a=1&b=2")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/error/unauthenticated%3Fa%3D1%26b%3D2"


@pytest.mark.asvs("16.5.1")
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_a_crash_shows_an_id_and_nothing_of_the_inside(
    browser: httpx.AsyncClient, accept: str, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = await browser.get("/broken", headers={"accept": accept})
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.text
    for inside in ("secret_column", "inside.py", "RuntimeError", "Traceback", "select"):
        assert inside not in answer.text
    written = capfd.readouterr()
    log = written.out + written.err
    assert "secret_column" in log
    assert answer.headers["x-request-id"] in log


async def test_an_unknown_address_is_a_page(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/nowhere")
    assert answer.status_code == 404
    assert "There is no such page." in answer.text


async def test_wrong_input_names_the_field(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/number?value=x", headers=PROGRAM)
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["key"] == "value"


async def test_an_error_speaks_the_language_of_the_browser(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/nowhere", headers={"accept-language": "de-AT,en;q=0.5"})
    assert "Diese Seite gibt es nicht." in answer.text
    assert '<html lang="de"' in answer.text


@pytest.mark.asvs("16.5.1")
async def test_a_crash_of_the_frame_itself_is_still_told(
    browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise FileNotFoundError("/srv/cadenza/layout.html")

    monkeypatch.setattr(failures, "render", broken)
    answer = await browser.get("/broken")
    assert answer.status_code == 500
    assert answer.json()["id"] == answer.headers["x-request-id"]
    assert "layout.html" not in answer.text
