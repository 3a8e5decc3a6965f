"""What the gateway took of single acts stands in its log, once, and files by their fingerprint."""

from laaffic_console.sandbox.act_log import LONG, ActLog, shortened


def test_acts_are_told_in_order_and_messages_are_not() -> None:
    log = ActLog()

    log.note("/number/pns/bind", {"phoneA": "911"}, {"status": "0"})
    log.note("/sendSms/batch", {"numbers": "911"}, {"status": "0"})
    log.note("/mmsUpload", {"fileData": "A" * (LONG + 1)}, {"data": "57_1"})

    assert [act["path"] for act in log.acts] == ["/number/pns/bind", "/mmsUpload"]
    assert log.acts[1]["given"]["fileData"] == shortened("A" * (LONG + 1))
    assert len(log.acts[1]["given"]["fileData"]) < 100


def test_it_can_be_forgotten() -> None:
    log = ActLog()
    log.note("/number/pns/bind", {}, {})

    log.forget()

    assert log.acts == []
