# The Python end of the bridge: imports ansible once, then forks one child for each module. Requests and answers are
# lines of JSON on standard input and output; modules see neither. Packages that a module has imported are imported here
# before it runs again, so that each child has them at once.
import ast
import atexit
import importlib
import importlib.util
import json
import os
import runpy
import select
import signal
import sys
import tempfile
import threading
import traceback


class Worker:
    def __init__(self, basic, requests, answers):
        self.basic = basic
        self.version = None
        self.requests = requests
        self.answers = answers
        self.children = {}
        self.collections = None
        # Packages that modules have imported, by the file of the module; taken out once they are imported here.
        self.packages = {}
        self.buffer = b''

    def answer(self, message):
        data = json.dumps(message).encode() + b'\n'
        while data:
            data = data[os.write(self.answers, data):]

    def serve(self):
        wake, waker = os.pipe()
        os.set_blocking(waker, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            ready = select.select([self.requests, wake], [], [])[0]
            if wake in ready:
                try:
                    os.read(wake, 4096)
                except BlockingIOError:
                    pass
                self.reap()
            if self.requests in ready:
                data = os.read(self.requests, 65536)
                if not data:
                    for pid in list(self.children):
                        self.kill(pid)
                    return
                self.buffer += data
                *lines, self.buffer = self.buffer.split(b'\n')
                for line in lines:
                    self.take(json.loads(line))

    def take(self, request):
        if 'cancel' in request:
            for pid, (number, _, _) in list(self.children.items()):
                if number == request['cancel']:
                    self.kill(pid)
            return
        request['arguments']['_ansible_version'] = self.version
        self.set_collections(request['collections'])
        self.import_packages(request)
        files = [tempfile.TemporaryFile() for _ in range(3)]
        pid = os.fork()
        if pid == 0:
            os.close(self.requests)
            os.close(self.answers)
            run_child(self.basic, request, files)
        self.children[pid] = (request['id'], request['path'], files)

    def import_packages(self, request):
        # Variables of the task may change what an import does.
        if request['environment']:
            return
        for name in self.packages.pop(request['path'], []):
            try:
                importlib.import_module(name)
            except BaseException:
                # The module meets the same error, and reports it.
                pass

    def set_collections(self, folders):
        if not folders or folders == self.collections:
            return
        self.collections = folders
        try:
            from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder as Finder
            if hasattr(Finder, '_remove'):
                Finder._remove()
            Finder(paths=list(folders), scan_sys_paths=True)._install()
        except Exception:
            # Without ansible's own finder collections are namespace packages.
            sys.path.extend(folder for folder in folders if folder not in sys.path)

    def kill(self, pid):
        for kill in (os.killpg, os.kill):
            try:
                kill(pid, signal.SIGKILL)
            except OSError:
                pass

    def reap(self):
        while self.children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid not in self.children:
                continue
            number, path, files = self.children.pop(pid)
            texts = []
            for file in files:
                file.seek(0)
                texts.append(file.read().decode('utf-8', 'replace'))
                file.close()
            code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
            report = json.loads(texts[2]) if texts[2] else {}
            self.packages.setdefault(path, report.pop('packages', []))
            answer = {'id': number, 'rc': code, 'stdout': texts[0], 'stderr': texts[1], 'secrets': [], 'missing': []}
            self.answer(answer | report)


class Report:
    """What a child tells besides the output of its module."""

    def __init__(self, file):
        self.file = file
        self.content = {}

    def add(self, **content):
        self.content.update(content)
        self.file.seek(0)
        self.file.truncate()
        self.file.write(json.dumps(self.content).encode())
        self.file.flush()


def run_child(basic, request, files):
    code = 1
    report = Report(files[2])
    known = set(sys.modules)
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        atexit._clear()
        os.dup2(files[0].fileno(), 1)
        os.dup2(files[1].fileno(), 2)
        os.environ.update(request['environment'])
        report_secrets(basic, report)
        run_module(basic, request)
        print('the module did not end by itself', file=sys.stderr)
    except SystemExit as ending:
        code = exit_code(ending)
    except BaseException:
        traceback.print_exc()
        report.add(missing=missing_packages(request['path']))
    try:
        report.add(packages=imported_packages(known))
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def run_module(basic, request):
    arguments = {'ANSIBLE_MODULE_ARGS': request['arguments']}
    basic._ANSIBLE_ARGS = json.dumps(arguments).encode()
    basic._ANSIBLE_PROFILE = 'legacy'
    for folder in request['module_utils']:
        importlib.import_module('ansible.module_utils').__path__.insert(0, folder)
    sys.argv = [request['path']]
    name = request['import_name'] or 'ansible.legacy.' + request['name'].rsplit('.', 1)[-1]
    given = {'_module_fqn': name, '_modlib_path': os.path.dirname(request['path'])}
    if request['import_name']:
        runpy.run_module(name, init_globals=given, run_name='__main__', alter_sys=True)
    else:
        runpy.run_path(request['path'], init_globals=given, run_name='__main__')


def report_secrets(basic, report):
    """Reports the values of parameters that must not be logged, as the module itself knows them."""
    own = getattr(basic.AnsibleModule, '_return_formatted', None)
    if own is None:
        return

    def return_formatted(module, *args, **kwargs):
        report.add(secrets=sorted(str(value) for value in getattr(module, 'no_log_values', ())))
        return own(module, *args, **kwargs)

    basic.AnsibleModule._return_formatted = return_formatted


def imported_packages(known):
    """Names that were imported since then and belong to no playbook: none if one of them has started a thread, for a
    process with threads is not safely forked."""
    try:
        if len(os.listdir('/proc/self/task')) > 1:
            return []
    except OSError:
        return []
    new = [(name, module) for name, module in list(sys.modules.items()) if name not in known]
    return [name for name, module in new if is_package(name, module)]


def is_package(name, module):
    if name.partition('.')[0] in ('__main__', 'ansible', 'ansible_collections'):
        return False
    spec = getattr(module, '__spec__', None)
    return spec is not None and spec.name == name and spec.has_location


def missing_packages(path):
    """Packages that a module imports and that are not installed; a module may pass over that, and fail later."""
    try:
        with open(path, 'rb') as file:
            tree = ast.parse(file.read())
    except (OSError, ValueError, SyntaxError):
        return []
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition('.')[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition('.')[0])
    return sorted(name for name in names if name not in sys.modules and importlib.util.find_spec(name) is None)


def exit_code(ending):
    if ending.code is None:
        return 0
    if isinstance(ending.code, int):
        return ending.code & 0xff
    print(ending.code, file=sys.stderr)
    return 1


def main():
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    # The current folder is no place for packages.
    sys.path[:] = [folder for folder in sys.path if folder]
    worker = Worker(None, requests, answers)
    try:
        worker.basic = importlib.import_module('ansible.module_utils.basic')
        version = importlib.import_module('ansible.release').__version__
    except ImportError as error:
        worker.answer({'error': str(error)})
        return
    worker.version = version
    worker.answer({'version': version})
    worker.serve()


main()
