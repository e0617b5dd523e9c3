"""A guest machine whose serial port is in the test's hands: what it says is waited for, what it is to read is typed."""
import os
import selectors
import subprocess
import time


class ConsoleError(Exception):
    """The guest did not say what it should have said."""


class Console:
    """Runs `command`, whose standard input and output are the guest's serial port."""

    def __init__(self, command, timeout):
        self.timeout = timeout
        self.text = ""  # all that was said
        self.seen = 0   # what expect() has dealt with
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def type(self, text):
        """As keys on a terminal: a newline is the Enter key."""
        self.process.stdin.write(text.replace("\n", "\r").encode())

    def read_more(self, deadline):
        """Waits for anything; False at the end of the output."""
        left = deadline - time.monotonic()
        if left <= 0 or not self.selector.select(left):
            raise ConsoleError("nothing came in time")
        data = os.read(self.process.stdout.fileno(), 65536)
        self.text += data.decode(errors="replace")
        return bool(data)

    def expect(self, wanted):
        """Waits until `wanted` has been said; returns what came before it since the last call."""
        deadline = time.monotonic() + self.timeout
        while True:
            at = self.text.find(wanted, self.seen)
            if at >= 0:
                before = self.text[self.seen:at]
                self.seen = at + len(wanted)
                return before
            try:
                more = self.read_more(deadline)
            except ConsoleError as error:
                raise ConsoleError(f"waited for {wanted!r}, but {error}; last: {self.text[self.seen:][-400:]!r}") from error
            if not more:
                raise ConsoleError(f"waited for {wanted!r}, but the machine ended; last: {self.text[self.seen:][-400:]!r}")

    def wait_for_end(self):
        """The exit status of the machine's program."""
        deadline = time.monotonic() + self.timeout
        while self.read_more(deadline):
            pass
        return self.process.wait(timeout=max(1, deadline - time.monotonic()))
