"""fake-gcs-server behind a proxy: PROGRAM PORT PORT-OF-THE-PROGRAM.

The program takes an upload by Google's XML API only with the query of a signed URL, and answers it without the ETag that
Google's answers have. The proxy adds both.
"""

import ctypes
import http.client
import http.server
import signal
import subprocess
import sys

PROGRAM, PORT, BEHIND = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
PR_SET_PDEATHSIG = 1
OF_CONNECTION = {"connection", "content-length", "date", "host", "server", "transfer-encoding"}


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def forward(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in OF_CONNECTION}
        headers["Host"] = f"127.0.0.1:{PORT}"
        is_upload = self.command == "PUT"
        server = http.client.HTTPConnection("127.0.0.1", BEHIND)
        server.request(self.command, self.path + ("?X-Goog-Algorithm=none" if is_upload else ""), body, headers)
        answer = server.getresponse()
        contents = answer.read()
        server.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in OF_CONNECTION:
                self.send_header(name, value)
        if is_upload:
            self.send_header("ETag", '"none"')
        self.send_header("Content-Length", str(len(contents)))
        self.end_headers()
        self.wfile.write(contents)

    do_DELETE = do_GET = do_POST = do_PUT = forward


options = ["-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", str(BEHIND), "-public-host", f"127.0.0.1:{PORT}"]
# It ends with the proxy, however that ends.
end_together = lambda: ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
subprocess.Popen([PROGRAM, *options], preexec_fn=end_together)
http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Proxy).serve_forever()
