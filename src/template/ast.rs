//! The tree of a template: owned, with byte offsets into its text.

use std::ops::Range;
use std::sync::Arc;

use crate::value::Value;

/// A byte range in the template's text.
pub type At = Range<usize>;

/// A parsed template.
#[derive(Debug)]
pub struct ParsedTemplate {
    /// Statements of the template.
    pub body: Vec<Stmt>,
    /// Whether it calls a method that changes a list or a mapping.
    pub changes: bool,
}

/// An expression with its place.
#[derive(Debug)]
pub struct ExprNode {
    /// Kind of the expression.
    pub kind: ExprKind,
    /// Where it stands.
    pub at: At,
}

/// The sorts of expressions.
#[derive(Debug)]
pub enum ExprKind {
    /// A literal.
    Const(Value),
    /// A name.
    Var(Arc<str>),
    /// `[a, b]`
    List(Vec<ExprNode>),
    /// `(a, b)`
    Tuple(Vec<ExprNode>),
    /// `{a: b}`
    Map(Vec<(ExprNode, ExprNode)>),
    /// `-a`
    Neg(Box<ExprNode>),
    /// `+a`
    Pos(Box<ExprNode>),
    /// `not a`
    Not(Box<ExprNode>),
    /// `a and b`
    And(Box<ExprNode>, Box<ExprNode>),
    /// `a or b`
    Or(Box<ExprNode>, Box<ExprNode>),
    /// `a + b` and other arithmetic.
    Binary(Operator, Box<ExprNode>, Box<ExprNode>),
    /// `a < b <= c`
    Compare(Box<ExprNode>, Vec<(Comparison, ExprNode)>),
    /// `a if c else b`
    If {
        /// The condition.
        test: Box<ExprNode>,
        /// The value if it holds.
        then: Box<ExprNode>,
        /// The value if not; undefined without one.
        otherwise: Option<Box<ExprNode>>,
    },
    /// `a | f(x)`; no input inside `{% filter %}`.
    Filter(Arc<str>, Option<Box<ExprNode>>, Vec<Arg>),
    /// `a is t(x)`
    Test(Arc<str>, Box<ExprNode>, Vec<Arg>),
    /// `a.b`
    Attr(Box<ExprNode>, Arc<str>),
    /// `a[b]`
    Item(Box<ExprNode>, Box<ExprNode>),
    /// `a[x:y:z]`
    Slice(Box<ExprNode>, [Option<Box<ExprNode>>; 3]),
    /// `f(x)`
    Call(Box<ExprNode>, Vec<Arg>),
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
    Positional(ExprNode),
    /// `name=x`
    Named(Arc<str>, ExprNode),
    /// `*x`
    Splat(ExprNode),
    /// `**x`
    NamedSplat(ExprNode),
}

/// Target of an assignment.
#[derive(Debug)]
pub enum AssignTarget {
    /// A name.
    Name(Arc<str>),
    /// `namespace.attribute`
    Attr(Arc<str>, Arc<str>, At),
    /// `a, b`
    Unpack(Vec<AssignTarget>, At),
}

/// A macro, or the body of a call block.
#[derive(Debug)]
pub struct Macro {
    /// Name; `caller` for a call block.
    pub name: Arc<str>,
    /// The parameters with their defaults.
    pub params: Vec<(Arc<str>, Option<ExprNode>)>,
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
    Emit(ExprNode),
    /// `{% for %}`
    For(Arc<ForLoop>),
    /// `{% if %}`
    If(ExprNode, Vec<Stmt>, Vec<Stmt>),
    /// `{% with %}`
    With(Vec<(AssignTarget, ExprNode)>, Vec<Stmt>),
    /// `{% set a = b %}`
    Set(AssignTarget, ExprNode),
    /// `{% set a %}..{% endset %}`
    SetBlock(AssignTarget, Option<ExprNode>, Vec<Stmt>),
    /// `{% filter f %}`
    FilterBlock(ExprNode, Vec<Stmt>),
    /// `{% autoescape %}`: has no effect, as nothing is ever escaped.
    Plain(Vec<Stmt>),
    /// `{% block %}`
    Block(Arc<TemplateBlock>),
    /// `{% extends %}`
    Extends(ExprNode),
    /// `{% include %}`
    Include(Include),
    /// `{% import x as y %}`
    Import(ExprNode, AssignTarget, bool),
    /// `{% from x import y as z %}`
    FromImport(ExprNode, Vec<(Arc<str>, Arc<str>)>, bool),
    /// `{% macro %}`
    Macro(Arc<Macro>),
    /// `{% call %}`
    Call(ExprNode, Arc<Macro>),
}

/// A `{% for %}` loop.
#[derive(Debug)]
pub struct ForLoop {
    /// The names bound.
    pub target: AssignTarget,
    /// Iterated expression.
    pub over: ExprNode,
    /// The `if` part.
    pub filter: Option<ExprNode>,
    /// The body.
    pub body: Vec<Stmt>,
    /// Done if there was nothing.
    pub otherwise: Vec<Stmt>,
    /// `loop(x)` may be called.
    pub recursive: bool,
}

/// An `{% include %}`.
#[derive(Debug)]
pub struct Include {
    /// One name, or several of which the first that exists is taken.
    pub name: ExprNode,
    /// No error if there is none.
    pub ignore_missing: bool,
    /// The included template sees the local names of this one.
    pub with_context: bool,
}

/// A `{% block %}`.
#[derive(Debug)]
pub struct TemplateBlock {
    /// Name.
    pub name: Arc<str>,
    /// The content.
    pub body: Vec<Stmt>,
}
