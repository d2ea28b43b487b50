//! Other modules of `ionoscloudsdk.ionoscloud`, with their SDK. The collection is one of the tests: it is laid out and
//! documented as the real one, whose documentation is made by an expression of Python.

use super::tools::ApiServer;
use super::{Desk, python_with};

const MODULE: &str = include_str!("ionoscloud_module.py");

const OPTIONS: &str = "def default_options():
    return {
        'api_url': {'type': 'str', 'fallback': 'IONOS_API_URL'},
        'token': {'type': 'str', 'no_log': True, 'fallback': 'IONOS_TOKEN'},
    }
";

/// A service with one data centre, which tells whom it has met.
const SERVICE: &str = "import json
from http.server import BaseHTTPRequestHandler, HTTPServer

class Api(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        properties = {'name': 'AnsibleDatacenter', 'location': 'de/fra', 'description': self.headers['Authorization']}
        body = json.dumps({'id': 'all', 'items': [{'id': 'one', 'properties': properties}]}).encode()
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

server = HTTPServer(('127.0.0.1', 0), Api)
print('http://127.0.0.1:%d' % server.server_port, flush=True)
server.serve_forever()
";

fn desk(tasks: &str) -> Desk {
    let desk = Desk::with_tasks(tasks);
    let plugins = "collections/ansible_collections/ionoscloudsdk/ionoscloud/plugins";
    desk.write(&format!("{plugins}/modules/datacenter_info.py"), MODULE);
    desk.write(&format!("{plugins}/modules/group.py"), MODULE);
    desk.write(&format!("{plugins}/module_utils/common_options.py"), OPTIONS);
    desk
}

#[test]
fn module_is_found_by_the_name_that_its_page_has() {
    let desk = desk("    - datacenter_info: {token: a, depth: 2}\n    - group: {name: staff}\n      when: false\n");
    let (_, text) = desk.says(&["lint", "site.yml"]);
    assert!(text.contains("`ionoscloudsdk.ionoscloud.datacenter_info` is not part of ionplay"), "{text}");
    assert!(text.contains("0 errors"), "documentation that is made by an expression tells no names: {text}");
    assert!(!text.contains("ionoscloud.group"), "a builtin name means the builtin module: {text}");
    desk.ends(&["doc", "datacenter_info"], 0, &["List data centres.", "the module decides when it runs"]);
}

#[test]
fn module_runs_with_its_sdk() {
    let Some(python) = python_with(&["ansible", "ionoscloud"]) else { return };
    let desk = desk(
        "    - datacenter_info: {api_url: '{{ url }}', token: 'token-of-the-test'}\n      register: listed\n    \
         - debug: {msg: '{{ listed.datacenters[0].properties }}'}\n",
    );
    let server = ApiServer::start(&python, SERVICE);
    let (python, url) = (format!("ansible_python_interpreter={python}"), format!("url={}", server.url));
    for option in ["--diff", "--check"] {
        let args = ["site.yml", "--allow-python", "-e", &python, "-e", &url, option];
        let text = desk.ends(&args, 0, &["AnsibleDatacenter", "Bearer ********"]);
        assert!(!text.contains("token-of-the-test"), "{text}");
    }
}
