//! The tree of a template: owned, with byte offsets into its text.

use std::ops::Range;
use std::sync::Arc;

use crate::value::Value;

/// A byte range in the template's text.
pub type At = Range<usize>;

/// A parsed template.
#[derive(Debug)]
pub struct Template {
    /// Statements of the template.
    pub body: Vec<Stmt>,
    /// Whether it calls a method that changes a list or a mapping.
    pub changes: bool,
}

/// An expression with its place.
#[derive(Debug)]
pub struct Node {
    /// Kind of the expression.
    pub kind: Kind,
    /// Where it stands.
    pub at: At,
}

/// The sorts of expressions.
#[derive(Debug)]
pub enum Kind {
    /// A literal.
    Const(Value),
    /// A name.
    Var(Arc<str>),
    /// `[a, b]`
    List(Vec<Node>),
    /// `(a, b)`
    Tuple(Vec<Node>),
    /// `{a: b}`
    Map(Vec<(Node, Node)>),
    /// `-a`
    Neg(Box<Node>),
    /// `+a`
    Pos(Box<Node>),
    /// `not a`
    Not(Box<Node>),
    /// `a and b`
    And(Box<Node>, Box<Node>),
    /// `a or b`
    Or(Box<Node>, Box<Node>),
    /// `a + b` and other arithmetic.
    Binary(Operator, Box<Node>, Box<Node>),
    /// `a < b <= c`
    Compare(Box<Node>, Vec<(Comparison, Node)>),
    /// `a if c else b`
    If {
        /// The condition.
        test: Box<Node>,
        /// The value if it holds.
        then: Box<Node>,
        /// The value if not; undefined without one.
        otherwise: Option<Box<Node>>,
    },
    /// `a | f(x)`; no input inside `{% filter %}`.
    Filter(Arc<str>, Option<Box<Node>>, Vec<Arg>),
    /// `a is t(x)`
    Test(Arc<str>, Box<Node>, Vec<Arg>),
    /// `a.b`
    Attr(Box<Node>, Arc<str>),
    /// `a[b]`
    Item(Box<Node>, Box<Node>),
    /// `a[x:y:z]`
    Slice(Box<Node>, [Option<Box<Node>>; 3]),
    /// `f(x)`
    Call(Box<Node>, Vec<Arg>),
}

/// The arithmetic operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `//`
    FloorDiv,
    /// `%`
    Rem,
    /// `**`
    Pow,
    /// `~`
    Concat,
}

impl Operator {
    /// As it is written, for messages.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::FloorDiv => "//",
            Self::Rem => "%",
            Self::Pow => "**",
            Self::Concat => "~",
        }
    }
}

/// The comparing operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `in`
    In,
    /// `not in`
    NotIn,
}

/// An argument of a call.
#[derive(Debug)]
pub enum Arg {
    /// `x`
    Positional(Node),
    /// `name=x`
    Named(Arc<str>, Node),
    /// `*x`
    Splat(Node),
    /// `**x`
    NamedSplat(Node),
}

/// Target of an assignment.
#[derive(Debug)]
pub enum Target {
    /// A name.
    Name(Arc<str>),
    /// `namespace.attribute`
    Attr(Arc<str>, Arc<str>, At),
    /// `a, b`
    Unpack(Vec<Target>, At),
}

/// A macro, or the body of a call block.
#[derive(Debug)]
pub struct Macro {
    /// Name; `caller` for a call block.
    pub name: Arc<str>,
    /// The parameters with their defaults.
    pub params: Vec<(Arc<str>, Option<Node>)>,
    /// The body.
    pub body: Vec<Stmt>,
}

/// A statement with its place.
#[derive(Debug)]
pub struct Stmt {
    /// Kind of the statement.
    pub kind: StmtKind,
    /// Where it stands.
    pub at: At,
}

/// The sorts of statements.
#[derive(Debug)]
pub enum StmtKind {
    /// Text outside of all braces.
    Raw(Arc<str>),
    /// `{{ a }}`
    Emit(Node),
    /// `{% for %}`
    For(Arc<ForLoop>),
    /// `{% if %}`
    If(Node, Vec<Stmt>, Vec<Stmt>),
    /// `{% with %}`
    With(Vec<(Target, Node)>, Vec<Stmt>),
    /// `{% set a = b %}`
    Set(Target, Node),
    /// `{% set a %}..{% endset %}`
    SetBlock(Target, Option<Node>, Vec<Stmt>),
    /// `{% filter f %}`
    FilterBlock(Node, Vec<Stmt>),
    /// `{% autoescape %}`: has no effect, as nothing is ever escaped.
    Plain(Vec<Stmt>),
    /// `{% block %}`
    Block(Arc<Block>),
    /// `{% extends %}`
    Extends(Node),
    /// `{% include %}`
    Include {
        /// One name, or several of which the first that exists is taken.
        name: Node,
        /// No error if there is none.
        ignore_missing: bool,
        /// The included template sees the local names of this one.
        with_context: bool,
    },
    /// `{% import x as y %}`
    Import(Node, Target, bool),
    /// `{% from x import y as z %}`
    FromImport(Node, Vec<(Arc<str>, Arc<str>)>, bool),
    /// `{% macro %}`
    Macro(Arc<Macro>),
    /// `{% call %}`
    Call(Node, Arc<Macro>),
}

/// A `{% for %}` loop.
#[derive(Debug)]
pub struct ForLoop {
    /// The names bound.
    pub target: Target,
    /// Iterated expression.
    pub over: Node,
    /// The `if` part.
    pub filter: Option<Node>,
    /// The body.
    pub body: Vec<Stmt>,
    /// Done if there was nothing.
    pub otherwise: Vec<Stmt>,
    /// `loop(x)` may be called.
    pub recursive: bool,
}

/// A `{% block %}`.
#[derive(Debug)]
pub struct Block {
    /// Name.
    pub name: Arc<str>,
    /// The content.
    pub body: Vec<Stmt>,
}
