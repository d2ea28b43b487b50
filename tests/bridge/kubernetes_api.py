# A Kubernetes API with config maps: discovery, get, list, create, patch and delete, each with `dryRun`.
import copy
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlparse

STORE = {}
RESOURCES = {
    'kind': 'APIResourceList', 'groupVersion': 'v1', 'resources': [{
        'name': 'configmaps', 'singularName': '', 'namespaced': True, 'kind': 'ConfigMap',
        'verbs': ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    }],
}
FIXED = {
    '/version': {'major': '1', 'minor': '30', 'gitVersion': 'v1.30.0'},
    '/api': {'kind': 'APIVersions', 'versions': ['v1']},
    '/apis': {'kind': 'APIGroupList', 'apiVersion': 'v1', 'groups': []},
    '/api/v1': RESOURCES,
}


def merge(old, new):
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            merge(old[key], value)
        else:
            old[key] = value


class Api(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def reply(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle_any(self):
        url = urlparse(self.path)
        length = int(self.headers.get('Content-Length') or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        is_dry = 'dryRun' in parse_qs(url.query)
        if url.path.rstrip('/') in FIXED:
            return self.reply(200, FIXED[url.path.rstrip('/')])
        parts = url.path.strip('/').split('/')
        if parts[:3] != ['api', 'v1', 'namespaces'] or parts[4:5] != ['configmaps']:
            return self.missing()
        name = parts[5] if len(parts) > 5 else None
        return getattr(self, 'on_' + self.command.lower())(parts[3], name, body, is_dry)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any

    def missing(self):
        self.reply(404, {'kind': 'Status', 'status': 'Failure', 'reason': 'NotFound', 'message': 'not found', 'code': 404})

    def on_get(self, namespace, name, body, is_dry):
        if name is None:
            items = [item for key, item in STORE.items() if key[0] == namespace]
            return self.reply(200, {'kind': 'ConfigMapList', 'apiVersion': 'v1', 'metadata': {}, 'items': items})
        found = STORE.get((namespace, name))
        return self.reply(200, found) if found else self.missing()

    def on_post(self, namespace, name, body, is_dry):
        body['metadata'].update(uid='1', resourceVersion='1', namespace=namespace)
        if not is_dry:
            STORE[namespace, body['metadata']['name']] = body
        self.reply(201, body)

    def on_patch(self, namespace, name, body, is_dry):
        found = copy.deepcopy(STORE.get((namespace, name)))
        if not found:
            return self.missing()
        merge(found, body)
        if not is_dry:
            STORE[namespace, name] = found
        return self.reply(200, found)

    def on_delete(self, namespace, name, body, is_dry):
        found = STORE.get((namespace, name))
        if not is_dry:
            STORE.pop((namespace, name), None)
        return self.reply(200, found) if found else self.missing()


server = HTTPServer(('127.0.0.1', 0), Api)
print('http://127.0.0.1:%d' % server.server_port, flush=True)
server.serve_forever()
