#!/usr/bin/env python3
"""Figures of `ionplay gitops`, as docs/gitops.md has them.

    tests/bench/gitops.py PROGRAM [idle] [jobs=1000] [hook] [page] [cluster=10000] [seconds=60]

Without words all but `cluster` are measured. Processor times count whatever else the machine does; delays only mean
something on a machine that does nothing else. `cluster` needs `initdb` and `pg_ctl` of PostgreSQL below /usr/lib/postgresql.
"""

import glob
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

SECRET = "hook-secret"
PLAYBOOK = """- hosts: localhost
  gather_facts: false
  tasks:
    - registry_token: {registry: demo, name: %s, status: %s, scopes: []}
"""
DRY = "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - debug: {msg: fine}\n"


def git(folder, *arguments):
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def commit(folder, text):
    (folder / "site.yml").write_text(text)
    git(folder, "add", "site.yml")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=change")


class Daemon:
    """`serve` in a folder, with its page on a free port."""

    def __init__(self, program, folder, file="gitops.yml", options=("--sandbox",)):
        self.log = open(folder / f"{file}.log", "w+")
        command = [program, "gitops", "serve", *options, file]
        self.child = subprocess.Popen(command, cwd=folder, stderr=self.log, start_new_session=True)
        self.url = self.wait_for_line("listening on ")

    def wait_for_line(self, word):
        while True:
            text = pathlib.Path(self.log.name).read_text()
            for line in text.splitlines():
                if word in line:
                    return line.split(word)[1].strip()
            if self.child.poll() is not None:
                sys.exit(f"the daemon has ended:\n{text}")
            time.sleep(0.02)

    def get(self, path):
        with urllib.request.urlopen(self.url + path) as answer:
            return answer.read()

    def status(self):
        return json.loads(self.get("/api/v1/status"))["jobs"]

    def hook(self, job, wait="?wait=1"):
        body = b"{}"
        digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": f"sha256={digest}", "X-GitHub-Event": "push"}
        request = urllib.request.Request(f"{self.url}/hooks/{job}{wait}", body, headers, method="POST")
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())

    def wait_for_jobs(self, count):
        while sum(job["state"] == "ok" for job in self.status()) < count:
            time.sleep(0.5)

    def resident(self):
        lines = pathlib.Path(f"/proc/{self.child.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    def processor(self):
        """Seconds of the daemon and of the children that have ended."""
        fields = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.child.send_signal(signal.SIGTERM)
        self.child.wait()


def job(name, url="repository", more=""):
    return f"  {name}:\n    git: {{url: {url}, branch: main}}\n    playbook: site.yml\n{more}"


def write_file(folder, jobs, more=""):
    text = f"version: 1\nstate_dir: state\nserver: {{listen: '127.0.0.1:0'}}\n{more}jobs:\n{jobs}"
    (folder / "gitops.yml").write_text(text)


def stage(folder, text=DRY):
    repository = folder / "repository"
    repository.mkdir()
    git(repository, "init", "--quiet", "--initial-branch=main")
    commit(repository, text)
    return repository


def measure_idle(program, folder, seconds):
    stage(folder)
    write_file(folder, job("tokens"))
    daemon = Daemon(program, folder)
    daemon.wait_for_jobs(1)
    began, used = time.monotonic(), daemon.processor()
    time.sleep(seconds)
    share = (daemon.processor() - used) / (time.monotonic() - began) * 100
    print(f"idle, 1 job: {daemon.resident():.1f} MiB resident, {share:.2f} % of a core, git included")
    daemon.end()


def measure_jobs(program, folder, seconds, count):
    repository = stage(folder)
    bare = folder / "bare.git"
    git(folder, "clone", "--quiet", "--bare", repository, bare)
    for number in range(count):
        shutil.copytree(bare, folder / f"r{number}.git")
    write_file(folder, "".join(job(f"j{number}", f"r{number}.git") for number in range(count)))
    daemon = Daemon(program, folder)
    daemon.wait_for_jobs(count)
    began, used, late = time.monotonic(), daemon.processor(), 0.0
    while time.monotonic() - began < max(seconds, 60):
        now = time.time()
        for one in daemon.status():
            if not one["next_due"]:
                continue
            due = time.mktime(time.strptime(one["next_due"]["at"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
            late = max(late, now - due)
        time.sleep(1)
    share = (daemon.processor() - used) / (time.monotonic() - began) * 100
    print(f"idle, {count} jobs each minute: {daemon.resident():.1f} MiB resident, {share:.1f} % of a core, git included; ")
    print(f"  no job later than {late:.1f} s")
    daemon.end()


def measure_hook(program, folder):
    repository = stage(folder, PLAYBOOK % ("ci", "enabled"))
    (folder / "hook").write_text(SECRET)
    write_file(folder, job("tokens", more="    poll: 1h\n    hook: {secret_file: hook}\n"))
    daemon = Daemon(program, folder)
    daemon.wait_for_jobs(1)
    applied, unchanged = [], []
    for number in range(10):
        commit(repository, PLAYBOOK % ("ci", ("disabled", "enabled")[number % 2]))
        began = time.monotonic()
        answer = daemon.hook("tokens")
        applied.append(time.monotonic() - began)
        assert answer["outcome"] == "applied", answer
        began = time.monotonic()
        assert daemon.hook("tokens")["outcome"] == "unchanged"
        unchanged.append(time.monotonic() - began)
    middle = lambda times: sorted(times)[len(times) // 2] * 1000
    print(f"push seen by hook to applied: {min(applied) * 1000:.0f} ms at best, median {middle(applied):.0f} ms")
    print(f"a run that finds nothing: {min(unchanged) * 1000:.0f} ms at best, median {middle(unchanged):.0f} ms")
    daemon.end()


def measure_page(program, folder):
    stage(folder)
    write_file(folder, "".join(job(f"j{number}") for number in range(20)))
    daemon = Daemon(program, folder)
    daemon.wait_for_jobs(20)
    print(f"page with 20 jobs: {len(daemon.get('/')) / 1000:.1f} kB")
    daemon.end()


def start_database(folder):
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
    data = folder / "pg"
    as_user = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    run = lambda *command: subprocess.run([*as_user, *map(str, command)], check=True, stdout=subprocess.DEVNULL, cwd="/")
    run(f"{programs}/initdb", "-D", data, "--no-sync", "--auth=trust", "--username=postgres")
    options = f"-k '{folder}' -c listen_addresses='' -c fsync=off -c max_connections=100"
    run(f"{programs}/pg_ctl", "-D", data, "-w", "-l", data / "log", "-o", options, "start")
    ask = lambda sql: subprocess.run(
        [*as_user, f"{programs}/psql", "-h", str(folder), "-U", "postgres", "-qAtc", sql],
        check=True, capture_output=True, text=True, cwd="/").stdout.strip()
    return ask, lambda: run(f"{programs}/pg_ctl", "-D", data, "-m", "immediate", "stop")


def measure_cluster(program, folder, count):
    database = folder / "database"
    database.mkdir()
    ask, end = start_database(database)
    stage(folder)
    (folder / "url").write_text(f"host={database} user=postgres")
    jobs = "".join(job(f"j{number}", more="    poll: 7d\n") for number in range(count))
    daemons = []
    for number in range(4):
        text = (f"version: 1\nhost: w{number}\nstate_dir: state-{number}\nstore: {{postgres: {{url_file: url, lease: 18s}}}}\n"
                f"server: {{listen: '127.0.0.1:0'}}\njobs:\n{jobs}")
        (folder / f"w{number}.yml").write_text(text)
        daemons.append(Daemon(program, folder, f"w{number}.yml"))
    began = time.monotonic()
    # The status of so many jobs is megabytes: asking a worker for it again and again would be what is measured.
    count_done = "select count(*) from ionplay_gitops.job where record::json ->> 'applied' is not null"
    while int(ask(count_done)) < count:
        time.sleep(2)
    print(f"{count} jobs, 4 workers: first run of each within {time.monotonic() - began:.0f} s", flush=True)
    wish = lambda host, name: subprocess.run(
        [program, "gitops", "run", f"w{host}.yml", name], cwd=folder, check=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    count_runs = "select count(*) from ionplay_gitops.run where content::json ->> 'started' >= '%s'"
    late = []
    for number in range(20):
        asked = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(asked))
        wish(0, f"j{number}")
        while ask(count_runs % stamp) == "0":
            time.sleep(0.05)
        late.append(time.time() - asked)
        time.sleep(1)
    print(f"  a due job starts within {max(late):.1f} s", flush=True)
    os.killpg(daemons[1].child.pid, signal.SIGKILL)
    daemons[1].child.wait()
    began, stamp = time.monotonic(), time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    names = [f"j{number}" for number in range(min(count, 40))]
    for name in names:
        wish(0, name)
    while int(ask(count_runs % stamp)) < len(names):
        time.sleep(0.2)
    print(f"  jobs of a killed worker go on within {time.monotonic() - began:.0f} s")
    print(f"  double runs: {int(ask(count_runs % stamp)) - len(names)}")
    for daemon in daemons:
        if daemon.child.poll() is None:
            daemon.end()
    end()


def main():
    program = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else sys.exit(__doc__)
    words = dict((word.split("=") + [""])[:2] for word in sys.argv[2:])
    seconds = int(words.pop("seconds", 60))
    chosen = words or {"idle": "", "jobs": "", "hook": "", "page": ""}
    measures = {
        "idle": lambda folder, _: measure_idle(program, folder, seconds),
        "jobs": lambda folder, value: measure_jobs(program, folder, seconds, int(value or 1000)),
        "hook": lambda folder, _: measure_hook(program, folder),
        "page": lambda folder, _: measure_page(program, folder),
        "cluster": lambda folder, value: measure_cluster(program, folder, int(value or 10000)),
    }
    for word, value in chosen.items():
        with tempfile.TemporaryDirectory(prefix="figures-") as name:
            os.chmod(name, 0o755)
            measures[word](pathlib.Path(name), value)


main()
