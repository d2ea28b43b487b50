//! A stage for the tests of lookups: a folder, some variables, and an engine that does as little as it can.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::find_lookup;
use crate::template::error::TemplateError;
use crate::template::plugin::{Context, PluginArgs, PluginCall, RenderOptions};
use crate::value::{Dict, Sealed, Text, Value, json};

pub struct Stage {
    folder: TempDir,
    vars: Dict,
}

impl Default for Stage {
    fn default() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), vars: Dict::new() }
    }
}

impl Stage {
    pub fn with_vars(vars: &str) -> Self {
        Self { vars: json::from_str(vars).unwrap().as_dict().unwrap().clone(), ..Self::default() }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn run_lookup(&self, name: &str, terms: &str, options: &str) -> Result<Vec<Value>, TemplateError> {
        let terms = json::from_str(terms).unwrap();
        let options = json::from_str(options).unwrap();
        let named = options.as_dict().unwrap().iter().map(|(k, v)| (k.as_str().unwrap().into(), v.clone())).collect();
        let args = PluginArgs { positional: terms.as_slice().unwrap().to_vec(), named };
        (find_lookup(name).unwrap().run)(&PluginCall { name, input: Value::Null, args, context: self, looping: None })
    }

    pub fn run_to_json(&self, name: &str, terms: &str, options: &str) -> Result<String, TemplateError> {
        Ok(json::to_string(&Value::list(self.run_lookup(name, terms, options)?), json::JsonStyle::EVENT))
    }
}

impl Context for Stage {
    fn evaluate_expression(&self, _: &Text) -> Result<Value, TemplateError> {
        unreachable!("no lookup evaluates expressions")
    }

    fn evaluate_condition(&self, _: &Value) -> Result<crate::template::ConditionVerdict, TemplateError> {
        unreachable!("no lookup evaluates conditions")
    }

    fn list_written_members(&self, _: &Text) -> Option<Vec<Value>> {
        unreachable!("no lookup evaluates conditions")
    }

    fn call_filter(&self, name: &str, input: Value, args: PluginArgs) -> Result<Value, TemplateError> {
        // Just enough of `%d` and `%02d` for sequences.
        let (Some(format), "format", [Value::Int(number)]) = (input.as_str(), name, &args.positional[..]) else {
            return Err(TemplateError::value("no such filter"));
        };
        Ok(Value::text(format.replace("%02d", &format!("{number:02}")).replace("%d", &number.to_string())))
    }
    fn call_test(&self, _: &str, _: Value, _: PluginArgs) -> Result<bool, TemplateError> {
        Err(TemplateError::value("no such test"))
    }
    fn call_lookup(&self, _: &str, _: PluginArgs) -> Result<Vec<Value>, TemplateError> {
        Err(TemplateError::value("no such lookup"))
    }
    fn get_member(&self, _: &Value, _: &Value) -> Value {
        Value::undefined("no members")
    }
    fn collect_members(&self, value: &Value) -> Result<Vec<Value>, TemplateError> {
        Ok(value.as_slice().unwrap_or_default().to_vec())
    }
    fn get_variable(&self, name: &str) -> Result<Option<Value>, TemplateError> {
        Ok(self.vars.get(name).cloned())
    }
    fn variable_names(&self) -> Vec<String> {
        self.vars.keys().filter_map(|key| Some(key.as_str()?.to_owned())).collect()
    }
    fn template_value(&self, value: &Value) -> Result<Value, TemplateError> {
        Ok(value.clone())
    }
    fn render_text(&self, text: &Text, options: &RenderOptions) -> Result<Value, TemplateError> {
        assert!(text.is_trusted());
        Ok(Value::text(format!("{}{}{}", options.variable.0, text.as_str(), options.variable.1)))
    }
    fn call(&self, _: &Value, _: PluginArgs) -> Result<Value, TemplateError> {
        Err(TemplateError::value("not callable"))
    }
    fn open_sealed(&self, _: &Sealed) -> Result<Text, TemplateError> {
        Ok(Text::new_plain("opened\n"))
    }
    fn search_path(&self) -> Vec<PathBuf> {
        vec![self.folder().to_owned()]
    }
    fn base_dir(&self) -> &Path {
        self.folder()
    }
    fn get_setting(&self, name: &str) -> Option<(Value, String)> {
        (name == "DEFAULT_FORKS").then(|| (Value::Int(5), "default".to_owned()))
    }
    fn add_warning(&self, _: String) {}
}
