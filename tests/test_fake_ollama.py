"""The fake Ollama itself: it runs as a program and speaks the real client's protocol."""

import subprocess
import sys
from pathlib import Path

from ollama import Client

FAKE = Path(__file__).with_name("fake_ollama.py")


def test_it_prints_its_address_and_answers_the_real_client() -> None:
    """A browser test or a person may start it as a file."""
    with subprocess.Popen([sys.executable, str(FAKE), "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = process.stdout.readline().strip()
        client = Client(host=address, timeout=10)
        try:
            names = [one.model for one in client.list().models]
            ask = {"role": "user", "content": "F1 attempts: 12"}
            parts = list(client.chat(model=str(names[0]), messages=[ask], stream=True))
        finally:
            client.close()  # type: ignore[no-untyped-call]
            process.terminate()
    assert names == ["llama3.1:8b"]
    assert "The log gives for attempts: 12" in "".join(part.message.content or "" for part in parts)
    assert (parts[-1].done, parts[-1].done_reason) == (True, "stop")
