// Validates Kubernetes objects against the schemas in the npm packages kubernetes-models and @kubernetes-models/*, which
// are generated from the OpenAPI definitions of Kubernetes and from custom resource definitions.
//
//   node validate.js NODE_MODULES OBJECTS.json
//
// Prints one line per problem, and "unknown: KIND" for kinds without a schema.
const fs = require('fs');
const path = require('path');

const [modules, file] = process.argv.slice(2).map(name => path.resolve(name));
const packages = ['kubernetes-models', '@kubernetes-models/prometheus-operator', '@kubernetes-models/keda'];
const schemas = packages.flatMap(name => {
  const directory = path.join(modules, name, '_schemas');
  return fs.readdirSync(directory).filter(schema => schema.endsWith('.js')).map(schema => path.join(directory, schema));
});
const capitalised = text => text[0].toUpperCase() + text.slice(1);

for (const object of JSON.parse(fs.readFileSync(file))) {
  // apps/v1 Deployment: a name such as IoK8sApiAppsV1Deployment.
  const [version, group] = object.apiVersion.split('/').reverse();
  const end = capitalised((group || 'core').split('.')[0]) + (group === 'keda.sh' ? 'Sh' : '') + capitalised(version)
    + object.kind + '.js';
  const found = schemas.find(schema => schema.endsWith(end));
  if (!found) {
    console.log('unknown: ' + object.kind);
    continue;
  }
  // Kustomize wraps long base64 values, which Kubernetes accepts.
  if (object.kind === 'Secret') {
    Object.keys(object.data || {}).forEach(key => { object.data[key] = object.data[key].replace(/\n/g, ''); });
  }
  const { validate } = require(found);
  if (!validate(object)) {
    for (const error of validate.errors) {
      console.log(`${object.kind} ${error.instancePath}: ${error.keyword} ${JSON.stringify(error.params)}`);
    }
  }
}
