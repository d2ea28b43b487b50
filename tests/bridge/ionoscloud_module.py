import yaml

try:
    import ionoscloud
except ImportError:
    ionoscloud = None

from ansible.module_utils.basic import AnsibleModule, env_fallback
from ansible_collections.ionoscloudsdk.ionoscloud.plugins.module_utils.common_options import default_options

OPTIONS = default_options()

DOCUMENTATION = '''
---
module: datacenter_info
short_description: List data centres.
options:
''' + '  ' + yaml.dump({name: {'type': option['type']} for name, option in OPTIONS.items()}).replace('\n', '\n  ') + '''
requirements:
    - "ionoscloud >= 6.0.2"
'''


def argument(option):
    fallback = (env_fallback, [option['fallback']])
    return {'type': option['type'], 'no_log': option.get('no_log', False), 'fallback': fallback}


def main():
    specification = {name: argument(option) for name, option in OPTIONS.items()}
    module = AnsibleModule(argument_spec=specification, supports_check_mode=True)
    if ionoscloud is None:
        module.fail_json(msg='ionoscloud is required for this module, run `pip install ionoscloud`')
    configuration = ionoscloud.Configuration(token=module.params['token'], host=module.params['api_url'], server_index=None)
    with ionoscloud.ApiClient(configuration) as client:
        found = ionoscloud.DataCentersApi(client).datacenters_get(depth=1)
    module.exit_json(changed=False, datacenters=[item.to_dict() for item in found.items])


if __name__ == '__main__':
    main()
