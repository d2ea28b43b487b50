//! A stage for the tests of lookups: a folder, some variables, and an engine that does as little as it can.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::find;
use crate::template::error::Fault;
use crate::template::plugin::{Args, Call, Context, RenderOptions};
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

    pub fn run(&self, name: &str, terms: &str, options: &str) -> Result<Vec<Value>, Fault> {
        let terms = json::from_str(terms).unwrap();
        let options = json::from_str(options).unwrap();
        let named = options.as_dict().unwrap().iter().map(|(k, v)| (k.as_str().unwrap().into(), v.clone())).collect();
        let args = Args { positional: terms.as_slice().unwrap().to_vec(), named };
        (find(name).unwrap().run)(&Call { name, input: Value::Null, args, context: self, looping: None })
    }

    pub fn json(&self, name: &str, terms: &str, options: &str) -> Result<String, Fault> {
        Ok(json::to_string(&Value::list(self.run(name, terms, options)?), json::Style::EVENT))
    }
}

impl Context for Stage {
    fn expression(&self, _: &Text) -> Result<Value, Fault> {
        unreachable!("no lookup evaluates expressions")
    }

    fn condition(&self, _: &Value) -> Result<crate::template::Verdict, Fault> {
        unreachable!("no lookup evaluates conditions")
    }

    fn filter(&self, name: &str, input: Value, args: Args) -> Result<Value, Fault> {
        // Just enough of `%d` and `%02d` for sequences.
        let (Some(format), "format", [Value::Int(number)]) = (input.as_str(), name, &args.positional[..]) else {
            return Err(Fault::value("no such filter"));
        };
        Ok(Value::text(format.replace("%02d", &format!("{number:02}")).replace("%d", &number.to_string())))
    }
    fn test(&self, _: &str, _: Value, _: Args) -> Result<bool, Fault> {
        Err(Fault::value("no such test"))
    }
    fn lookup(&self, _: &str, _: Args) -> Result<Vec<Value>, Fault> {
        Err(Fault::value("no such lookup"))
    }
    fn member(&self, _: &Value, _: &Value) -> Value {
        Value::undefined("no members")
    }
    fn iterate(&self, value: &Value) -> Result<Vec<Value>, Fault> {
        Ok(value.as_slice().unwrap_or_default().to_vec())
    }
    fn variable(&self, name: &str) -> Result<Option<Value>, Fault> {
        Ok(self.vars.get(name).cloned())
    }
    fn variable_names(&self) -> Vec<String> {
        self.vars.keys().filter_map(|key| Some(key.as_str()?.to_owned())).collect()
    }
    fn template(&self, value: &Value) -> Result<Value, Fault> {
        Ok(value.clone())
    }
    fn render(&self, text: &Text, options: &RenderOptions) -> Result<Value, Fault> {
        assert!(text.is_trusted());
        Ok(Value::text(format!("{}{}{}", options.variable.0, text.as_str(), options.variable.1)))
    }
    fn call(&self, _: &Value, _: Args) -> Result<Value, Fault> {
        Err(Fault::value("not callable"))
    }
    fn open(&self, _: &Sealed) -> Result<Text, Fault> {
        Ok(Text::plain("opened\n"))
    }
    fn search_path(&self) -> Vec<PathBuf> {
        vec![self.folder().to_owned()]
    }
    fn base_dir(&self) -> &Path {
        self.folder()
    }
    fn setting(&self, name: &str) -> Option<(Value, String)> {
        (name == "DEFAULT_FORKS").then(|| (Value::Int(5), "default".to_owned()))
    }
    fn warn(&self, _: String) {}
}
