//! Which module of the program looks at which, read from the text of its files: `use` trees, and paths that begin with
//! `crate` or `super`. Names that a module passes on with `pub use` lead to where they come from.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::path::Path;

use crate::architecture;

/// The names of a module from the root of the crate: `["template", "filters", "math"]`.
type ModulePath = Vec<String>;

/// The modules of the program, and those that each of them uses.
struct ModuleGraph {
    uses: BTreeMap<ModulePath, BTreeSet<ModulePath>>,
}

impl ModuleGraph {
    fn read() -> Self {
        let source = crate::root().join("src");
        let texts: BTreeMap<ModulePath, String> = architecture::files(&source)
            .iter()
            .map(|file| (module_path(file.strip_prefix(&source).unwrap()), architecture::program(file)))
            .filter(|(path, text)| !text.is_empty() && !matches!(path[0].as_str(), "main" | "lib"))
            .collect();
        let resolver = Resolver::new(&texts);
        let uses = texts.iter().map(|(module, text)| {
            let mut used: BTreeSet<ModulePath> =
                paths_in(text).iter().filter_map(|written| resolver.find_module(module, written)).collect();
            used.remove(module);
            (module.clone(), used)
        });
        Self { uses: uses.collect() }
    }

    /// The graph between the parts of one room: its folders and the files beside them.
    fn parts_of(&self, room: &str) -> Self {
        let part = |module: &ModulePath| (module.len() > 1 && module[0] == room).then(|| module[..2].to_vec());
        let mut uses: BTreeMap<ModulePath, BTreeSet<ModulePath>> = BTreeMap::new();
        for (module, used) in &self.uses {
            let Some(from) = part(module) else { continue };
            let others = used.iter().filter_map(part).filter(|to| *to != from);
            uses.entry(from.clone()).or_default().extend(others);
        }
        Self { uses }
    }

    /// Modules that look at each other, directly or through others, each circle once.
    fn find_circles(&self) -> Vec<BTreeSet<String>> {
        let modules: Vec<&ModulePath> = self.uses.keys().collect();
        let number = |module: &ModulePath| modules.binary_search(&module).ok();
        let uses: Vec<Vec<usize>> = self.uses.values().map(|used| used.iter().filter_map(number).collect()).collect();
        let reached: Vec<Vec<bool>> = (0..modules.len()).map(|module| reachable_from(module, &uses)).collect();
        let mut circles: Vec<BTreeSet<String>> = Vec::new();
        for module in 0..modules.len() {
            let others = (0..modules.len()).filter(|other| reached[module][*other] && reached[*other][module]);
            let circle: BTreeSet<String> = others.map(|other| modules[other].join("/")).collect();
            if circle.len() > 1 && !circles.contains(&circle) {
                circles.push(circle);
            }
        }
        circles
    }
}

/// Which modules a module looks at, directly or through others.
fn reachable_from(start: usize, uses: &[Vec<usize>]) -> Vec<bool> {
    let mut reached = vec![false; uses.len()];
    let mut open = uses[start].clone();
    while let Some(module) = open.pop() {
        if !std::mem::replace(&mut reached[module], true) {
            open.extend(&uses[module]);
        }
    }
    reached
}

/// `template/filters/mod.rs` and `template/filters.rs` are both the module `template::filters`.
fn module_path(file: &Path) -> ModulePath {
    let mut path: ModulePath =
        file.with_extension("").components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if path.len() > 1 && path.last().is_some_and(|name| name == "mod") {
        path.pop();
    }
    path
}

/// Finds the modules that paths lead to.
struct Resolver<'a> {
    texts: &'a BTreeMap<ModulePath, String>,
    /// Names that modules pass on, with the paths they stand for.
    passed_on: HashMap<(ModulePath, String), String>,
}

impl<'a> Resolver<'a> {
    fn new(texts: &'a BTreeMap<ModulePath, String>) -> Self {
        let mut passed_on = HashMap::new();
        for (module, text) in texts {
            for found in find_uses(text).into_iter().filter(|found| found.is_public) {
                for path in expand_tree(&found.tree) {
                    let (path, name) = match path.split_once('@') {
                        Some((path, name)) => (path.to_owned(), name.to_owned()),
                        None => (path.clone(), path.rsplit("::").next().unwrap().to_owned()),
                    };
                    let path = if is_rooted(&path) { path } else { format!("self::{path}") };
                    passed_on.insert((module.clone(), name), path);
                }
            }
        }
        Self { texts, passed_on }
    }

    /// The module in which the thing lies that a path names, as written in a module.
    fn find_module(&self, from: &ModulePath, written: &str) -> Option<ModulePath> {
        let path = written.split('@').next().unwrap();
        let mut at = from.clone();
        for name in path.split("::") {
            match name {
                "crate" => at.clear(),
                "self" => {}
                "super" => _ = at.pop(),
                name => {
                    let inside: ModulePath = [at.as_slice(), &[name.to_owned()]].concat();
                    if self.texts.contains_key(&inside) {
                        at = inside;
                    } else if let Some(other) = self.passed_on.get(&(at.clone(), name.to_owned())) {
                        return self.find_module(&at, other);
                    } else {
                        break;
                    }
                }
            }
        }
        self.texts.contains_key(&at).then_some(at)
    }
}

/// A `use` declaration.
struct Use {
    /// Where it stands in the text.
    range: Range<usize>,
    /// The tree without blanks; `as` is `@`.
    tree: String,
    is_public: bool,
}

fn find_uses(text: &str) -> Vec<Use> {
    let mut uses = Vec::new();
    for (at, _) in text.match_indices("use ") {
        let before = text[..at].rsplit('\n').next().unwrap().trim();
        if before.is_empty() || before.starts_with("pub") {
            let end = at + text[at..].find(';').unwrap_or(0);
            let tree = text[at + 4..end].replace(" as ", "@").split_whitespace().collect();
            uses.push(Use { range: at..end, tree, is_public: !before.is_empty() });
        }
    }
    uses
}

/// All paths in a text that begin with `crate`, `self` or `super`.
fn paths_in(text: &str) -> Vec<String> {
    let uses = find_uses(text);
    let trees = uses.iter().flat_map(|found| expand_tree(&found.tree));
    let mut paths: Vec<String> = trees.filter(|path| is_rooted(path)).collect();
    let is_word = |sign: char| sign.is_alphanumeric() || sign == '_' || sign == ':';
    for (at, _) in text.match_indices("crate::").chain(text.match_indices("super::")) {
        let is_inside = text[..at].ends_with(is_word) || uses.iter().any(|found| found.range.contains(&at));
        if !is_inside {
            let rest = &text[at..];
            let path = &rest[..rest.find(|sign| !is_word(sign)).unwrap_or(rest.len())];
            paths.push(path.trim_end_matches(':').to_owned());
        }
    }
    paths
}

fn is_rooted(path: &str) -> bool {
    ["crate::", "self::", "super::"].iter().any(|start| path.starts_with(start))
}

/// The paths of a `use` tree: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expand_tree(tree: &str) -> Vec<String> {
    let Some((before, inside)) = tree.split_once('{') else { return vec![tree.to_owned()] };
    let inside = inside.rsplit_once('}').unwrap().0;
    let mut depth = 0;
    let branches = inside.split(|sign: char| {
        depth += i32::from(sign == '{') - i32::from(sign == '}');
        sign == ',' && depth == 0
    });
    let branches = branches.filter(|branch| !branch.is_empty());
    branches.flat_map(expand_tree).map(|path| format!("{before}{path}")).collect()
}

/// Where things are recursive by nature: each line names modules of one circle, and why it is one.
const RECURSIVE: &[(&str, &str)] = &[
    ("template/eval", "an expression calls filters, tests and lookups, and these evaluate expressions"),
    ("executor/task", "a task may include tasks, and looks at variables whose values are templates over variables"),
];

#[test]
fn modules_do_not_look_at_each_other_in_circles() {
    let circles = ModuleGraph::read().find_circles();
    let is_known = |circle: &&BTreeSet<String>| !RECURSIVE.iter().any(|(module, _)| circle.contains(*module));
    let unknown: Vec<_> = circles.iter().filter(is_known).collect();
    assert!(unknown.is_empty(), "these look at each other: {unknown:#?}");
}

#[test]
fn parts_of_a_room_have_an_order() {
    let graph = ModuleGraph::read();
    let rooms: BTreeSet<&String> = graph.uses.keys().map(|module| &module[0]).collect();
    for room in rooms {
        let circles = graph.parts_of(room).find_circles();
        let is_known = |circle: &&BTreeSet<String>| !RECURSIVE.iter().any(|(module, _)| circle.contains(*module));
        let unknown: Vec<_> = circles.iter().filter(is_known).collect();
        assert!(unknown.is_empty(), "parts of `{room}` look at each other: {unknown:#?}");
    }
}

#[test]
fn paths_are_read_from_trees() {
    let text = "use crate::value::{Dict, json::{self, JsonStyle as Style}};\nlet x = super::super::other::call();\n";
    let paths = ["crate::value::Dict", "crate::value::json::self", "crate::value::json::JsonStyle@Style"];
    assert_eq!(paths_in(text), [&paths[..], &["super::super::other::call"]].concat());
}
