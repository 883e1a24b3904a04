"""A message reaches a webhook, Slack and a mailbox as it is; one that does not is said without its secret."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator

import pytest

from dagster_project.lib.notices.message import Message
from dagster_project.lib.notices.send import NoticeError, deliver
from tests.unit.notices.servers import free_port, mail_server, web_server

MESSAGE = Message(
    "Classes de comptes", "2 accounts moved\n- Müller & <!channel> <b>Söhne</b>: from B"
)
SLACK = "T1JJ3T3L2", "A1BRTD4JD", "TIiajkdnlazkcOXrIdevi7FQ"
SECRET = "s3cr3t-token"


@pytest.fixture
def root_log() -> Iterator[list[str]]:
    """Everything that reaches the root logger (pytest's own handlers hear non-propagating loggers too)."""
    said: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    root, handler = logging.getLogger(), Keep()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield said
    root.removeHandler(handler)
    root.setLevel(level)


def test_webhook_gets_json() -> None:
    with web_server() as web:
        assert deliver(MESSAGE, [f"json://{web.host}/hook/{SECRET}"]) == []
    [(path, said)] = web.posts
    assert path == f"/hook/{SECRET}"
    assert (said["title"], said["message"], said["type"]) == (MESSAGE.title, MESSAGE.body, "info")


@pytest.mark.parametrize(
    "form", ["slack://{0}/{1}/{2}", "https://hooks.slack.com/services/{0}/{1}/{2}"]
)
def test_slack_gets_its_form_and_nobody_is_called(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apprise.plugins.slack import NotifySlack

    with web_server() as web:
        monkeypatch.setattr(NotifySlack, "webhook_url", f"http://{web.host}/services")
        assert deliver(MESSAGE, [form.format(*SLACK)]) == []
    [(path, said)] = web.posts
    assert path == "/services/" + "/".join(SLACK)
    [shown] = said["attachments"]
    assert shown["title"] == MESSAGE.title
    assert "- Müller &amp; &lt;!channel&gt; &lt;b&gt;Söhne&lt;/b&gt;: from B" in shown["text"]
    assert "github" not in str(said).lower()


def test_mail_is_plain_text_with_its_subject() -> None:
    with mail_server() as mail:
        address = f"mailto://127.0.0.1:{mail.port}?from=kam@example.com&to=sales@example.com,ceo@example.com"
        assert deliver(MESSAGE, [address]) == []
    assert {to for _, receivers, _ in mail.messages for to in receivers} == {
        "sales@example.com",
        "ceo@example.com",
    }
    for sender, _, parsed in mail.messages:
        assert sender == "kam@example.com"
        assert parsed["Subject"] == MESSAGE.title
        assert parsed.get_content_type() == "text/plain"
        assert parsed.get_content().replace("\r\n", "\n").strip() == MESSAGE.body


def test_what_is_not_delivered_is_said_and_the_others_are(
    root_log: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    with web_server() as web:
        undelivered = deliver(
            MESSAGE,
            [
                f"json://{web.host}/refuse/{SECRET}",
                f"json://{web.host}/hook",
                f"json://127.0.0.1:{free_port()}/{SECRET}",
                f"slack://{SECRET}",
                f"nonsense://{SECRET}",
                SECRET,
            ],
        )
    assert [(u.place, u.service, u.reason) for u in undelivered] == [
        (1, "JSON", "HTTP 403"),
        (3, "JSON", "refused, or not reached"),
        *((place, "unknown", "no address that apprise can read") for place in (4, 5, 6)),
    ]
    assert len(web.posts) == 2
    printed = capfd.readouterr()
    assert SECRET not in f"{undelivered}{root_log}{printed.out}{printed.err}"


def test_who_does_not_answer_is_not_waited_for() -> None:
    with web_server() as web:
        began = time.monotonic()
        undelivered = deliver(
            MESSAGE, [f"json://{web.host}/slow", f"json://{web.host}/hook"], seconds=1
        )
        assert time.monotonic() - began < 2.5
    assert [(u.place, u.reason) for u in undelivered] == [(1, "no answer within 1 s")]


def test_failure_is_marked() -> None:
    with web_server() as web:
        deliver(Message("t", "b", is_failure=True), [f"json://{web.host}/"])
    assert web.posts[0][1]["type"] == "failure"


def test_without_apprise_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(NoticeError, match="install the extra `notices`"):
        deliver(MESSAGE, ["json://127.0.0.1/"])
