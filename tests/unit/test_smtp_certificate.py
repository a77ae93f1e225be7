"""Our certificate: files that cannot be used are told as that, whatever becomes of them meanwhile."""

import os
import threading
from pathlib import Path

import pytest

from smtpd_service.smtp.certificate import UnusableError, context_of
from tests.certificates import Authority


def test_a_certificate_that_goes_while_it_is_read_is_unusable_like_any_other(tmp_path: Path) -> None:
    files = Authority().issue(tmp_path)
    files.certificate.unlink()
    os.mkfifo(files.certificate)

    def vanish() -> None:
        with files.certificate.open("wb") as pipe:
            files.certificate.unlink()
            pipe.write(b"-")

    vanishing = threading.Thread(target=vanish)
    vanishing.start()
    with pytest.raises(UnusableError, match="name a PEM file"):
        context_of(files.certificate, files.key)
    vanishing.join()
