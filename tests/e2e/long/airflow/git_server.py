"""A private Git repository with one DAG, over HTTP on port 8080, for user lab with the PASSWORD of the environment."""
import base64
import functools
import http.server
import os
import pathlib
import subprocess

DAG = '''
import socket

from airflow.sdk import DAG, task


@task
def say():
    print("a line of its log")
    return f"in a pod of its own: {socket.gethostname()}"


with DAG("from_git", schedule=None):
    say()
'''
WORK, SERVED = pathlib.Path("/tmp/work"), pathlib.Path("/tmp/served/dags.git")
LOGIN = "Basic " + base64.b64encode(f"lab:{os.environ['PASSWORD']}".encode()).decode()


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.headers.get("Authorization") == LOGIN:
            return super().do_GET()
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()


def git(*arguments, folder=WORK):
    subprocess.run(["git", "-c", "user.name=lab", "-c", "user.email=lab@lab.invalid", *arguments], cwd=folder, check=True)


WORK.mkdir()
(WORK / "from_git.py").write_text(DAG)
git("init", "--quiet", "--initial-branch", "main")
git("add", ".")
git("commit", "--quiet", "--message", "A DAG")
git("clone", "--quiet", "--bare", str(WORK), str(SERVED))
# Files are enough: this is Git's older way over HTTP.
git("update-server-info", folder=SERVED)
serve = functools.partial(Handler, directory=str(SERVED.parent))
print("serving", flush=True)
http.server.ThreadingHTTPServer(("", 8080), serve).serve_forever()
