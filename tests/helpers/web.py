"""A server on this machine, in place of the internet."""

import contextlib
import http.server
import socket
import struct
import threading
import time


class Web:
    """A server on this machine; `pages` has the answers of each path to its requests, in turn."""

    def __init__(self):
        self.pages, self.asked, web = {}, [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                web.asked.append(self.path)
                answers = web.pages.get(self.path, [404])
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                self.close_connection = True
                if answer == "reset":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                elif answer == "silent":
                    time.sleep(1)
                elif answer == "endless":
                    self.send_response(200)
                    self.end_headers()
                    while True:
                        self.wfile.write(bytes(1 << 20))
                elif isinstance(answer, int):
                    self.send_error(answer)
                elif isinstance(answer, str):
                    self.send_response(302)
                    self.send_header("Location", answer)
                    self.end_headers()
                else:
                    content, sent = answer if isinstance(answer, tuple) else (answer, len(answer))
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content[:sent])

            def handle(self):
                with contextlib.suppress(OSError):
                    super().handle()

            def finish(self):
                with contextlib.suppress(OSError, ValueError):
                    super().finish()

            def log_message(self, format, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


def refusing_host() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
