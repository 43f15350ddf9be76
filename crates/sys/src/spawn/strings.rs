//! Arguments and environment as C wants them: arrays of pointers that end with null.

use super::SpawnError;
use std::ffi::{CString, OsStr, OsString, c_char};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// C strings, and the array of their addresses.
pub(super) struct CStrings {
    /// What `pointers` points to. Never changed: a C string lives on the heap and stays where it is
    /// while this value moves.
    _strings: Vec<CString>,
    pointers: Vec<*mut c_char>,
}

impl CStrings {
    pub(super) fn arguments(arguments: &[OsString]) -> Result<Self, SpawnError> {
        let strings = arguments.iter().map(|argument| c_string(argument));
        Ok(Self::new(strings.collect::<Result<_, _>>()?))
    }

    pub(super) fn environment(env: Option<&[(OsString, OsString)]>) -> Result<Self, SpawnError> {
        let strings: Result<_, _> = match env {
            Some(env) => env.iter().map(|(name, value)| assignment(name, value)).collect(),
            None => std::env::vars_os().map(|(name, value)| assignment(&name, &value)).collect(),
        };
        Ok(Self::new(strings?))
    }

    fn new(strings: Vec<CString>) -> Self {
        let addresses = strings.iter().map(|string| string.as_ptr().cast_mut());
        let pointers = addresses.chain([std::ptr::null_mut()]).collect();
        Self { _strings: strings, pointers }
    }

    /// The array; valid as long as `self`.
    pub(super) fn as_ptr(&self) -> *const *mut c_char {
        self.pointers.as_ptr()
    }
}

pub(super) fn c_string(text: &OsStr) -> Result<CString, SpawnError> {
    CString::new(text.as_bytes()).map_err(|_| SpawnError::ZeroByte { text: text.to_owned() })
}

fn assignment(name: &OsStr, value: &OsStr) -> Result<CString, SpawnError> {
    // A name may begin with `=`, and must not have one later: `putenv` would split it there.
    if name.is_empty() || name.as_bytes()[1..].contains(&b'=') {
        return Err(SpawnError::EnvironmentName { name: name.to_owned() });
    }
    let mut text = name.as_bytes().to_vec();
    text.push(b'=');
    text.extend_from_slice(value.as_bytes());
    c_string(&OsString::from_vec(text))
}
