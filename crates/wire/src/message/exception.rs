//! Exceptions as data.

use super::{Argument, Error};
use crate::value::{Class, Object, Value};
use std::fmt;

/// An exception as data: its class, and what the class is called with. Its text is the last line of Python's traceback.
///
/// # Examples
/// ```
/// use procession_wire::message::Exception;
///
/// let error = Exception::new("builtins", "KeyError", vec!["x".into()]);
/// assert_eq!(error.to_string(), "KeyError: 'x'");
/// assert!(Exception::new("_queue", "Empty", Vec::new()).is("queue", "Empty"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The class.
    pub class: Class,
    /// The arguments.
    pub args: Vec<Value>,
    /// What it has beside them: a dict of attributes, mostly.
    pub state: Option<Value>,
}

impl Exception {
    /// The exception `module.name(*args)`.
    #[must_use]
    pub fn new(module: &str, name: &str, args: Vec<Value>) -> Self {
        Self { class: Class::new(module, name), args, state: None }
    }

    /// Whether its class is that one, under whichever of its names: `queue.Empty` is pickled as `_queue.Empty`.
    #[must_use]
    pub fn is(&self, module: &str, name: &str) -> bool {
        self.class.name == name && home(&self.class.module) == home(module)
    }

    /// The exception that an argument is.
    pub(super) fn of(argument: &Argument<'_>) -> Result<Self, Error> {
        match argument.describe()? {
            Value::Object(object) => {
                let Object { class, args, state, .. } = *object;
                Ok(Self { class, args, state })
            }
            _ => Err(Error::Shape("what is raised is no exception")),
        }
    }

    /// The exception as a value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut value = Value::call(&self.class.module, &self.class.name, self.args.clone());
        if let Value::Object(object) = &mut value {
            object.state.clone_from(&self.state);
        }
        value
    }
}

fn home(module: &str) -> &str {
    match module {
        "_queue" => "queue",
        module => module,
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Class { module, name } = &self.class;
        match module.as_str() {
            "builtins" => f.write_str(name)?,
            module => write!(f, "{module}.{name}")?,
        }
        match self.args.as_slice() {
            [] => Ok(()),
            [Value::Str(text)] if text.is_empty() => Ok(()),
            [Value::Str(text)] if name != "KeyError" => write!(f, ": {text}"),
            [value] => write!(f, ": {value}"),
            args => write!(f, ": {}", Value::Tuple(args.to_vec())),
        }
    }
}

impl std::error::Error for Exception {}
