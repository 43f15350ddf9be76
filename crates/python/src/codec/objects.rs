//! Classes, functions and objects of classes, in what is written.

use super::class;
use super::instance::{self, Name};
use super::reduced::{self, Recipe};
use super::write::Writer;
use procession_wire::pickle::op::*;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple, PyType};

/// So many items are given to an object at once.
const AT_ONCE: usize = 1000;

/// A class or function that was named.
pub(super) struct Global<'py> {
    object: Bound<'py, PyAny>,
    /// Its number in the memo.
    number: u32,
    /// That its instances are ordinary, which holds for this message.
    is_ordinary: bool,
}

impl<'py> Writer<'_, 'py> {
    /// An object of a class; in the key of a dict or in a set it is left to `pickle`, since its hash may be code of the user's,
    /// which has to wait until as much is read as `pickle` reads before it.
    pub(super) fn of_class(&mut self, object: &Bound<'py, PyAny>) -> bool {
        if self.is_key {
            return false;
        }
        if class::is_global(object) {
            let is_written = self.global(object, false);
            self.memoize();
            return is_written;
        }
        let class = object.get_type();
        let known = self.globals.iter().find(|known| known.object.is(&class) && known.is_ordinary);
        if let Some(number) = known.map(|known| known.number) {
            self.get(number);
            return self.is_first(object) && self.within(|it| it.instance(object, &class));
        }
        match instance::is_ordinary(object, &class) {
            Ok(true) => {
                self.global(&class, true)
                    && self.is_first(object)
                    && self.within(|it| it.instance(object, &class))
            }
            Ok(false) => self.reduced(object, &class),
            Err(_) => false,
        }
    }

    /// An instance of an ordinary class, which was written.
    fn instance(&mut self, object: &Bound<'py, PyAny>, class: &Bound<'py, PyType>) -> bool {
        if !instance::says_its_class(object, class) {
            return false;
        }
        self.bytes.extend_from_slice(&[EMPTY_TUPLE, NEWOBJ]);
        let Some(attributes) = class::attributes(object) else { return false };
        if attributes.is_empty() {
            self.memoize();
            return true;
        }
        self.bytes.extend_from_slice(&[EMPTY_DICT, MARK]);
        let is_written = self.is_first(&attributes) && self.pairs::<true>(&attributes);
        self.bytes.extend_from_slice(&[SETITEMS, BUILD]);
        is_written
    }

    /// An object that says itself how it is made. It is noted in any case, since it must not be asked again.
    fn reduced(&mut self, object: &Bound<'py, PyAny>, class: &Bound<'py, PyType>) -> bool {
        let Some(answers) = self.answers.as_mut() else { return false };
        if !reduced::is_asked(object, class).unwrap_or(false)
            || !self.seen.note(object.as_ptr().addr())
        {
            return false;
        }
        let asked = reduced::ask(object).and_then(|answer| reduced::recipe(object, answer));
        let (answer, recipe) = match asked {
            Ok((answer, recipe)) => (Ok(answer), recipe),
            Err(error) => (Err(error), None),
        };
        answers.push((object.clone(), answer));
        recipe.is_some_and(|recipe| self.within(|it| it.recipe(&recipe)))
    }

    fn recipe(&mut self, recipe: &Recipe<'py>) -> bool {
        if !self.global(&recipe.maker, false) || !self.tuple(&recipe.arguments) {
            return false;
        }
        self.bytes.push(if recipe.is_new { NEWOBJ } else { REDUCE });
        if let Some(items) = &recipe.items
            && !self.in_batches(items, APPENDS, Self::object)
        {
            return false;
        }
        if let Some(pairs) = &recipe.pairs
            && !self.in_batches(pairs, SETITEMS, Self::pair)
        {
            return false;
        }
        let Some(state) = &recipe.state else {
            self.memoize();
            return true;
        };
        let is_written = self.object(state);
        self.bytes.push(BUILD);
        is_written
    }

    /// What an object is extended by, so much at once as `pickle` does, since its class may count.
    fn in_batches(
        &mut self,
        list: &Bound<'py, PyList>,
        end: u8,
        write: fn(&mut Self, &Bound<'py, PyAny>) -> bool,
    ) -> bool {
        let len = list.len();
        (0..len).step_by(AT_ONCE).all(|from| {
            self.bytes.push(MARK);
            let to = len.min(from + AT_ONCE);
            let is_written =
                (from..to).all(|at| list.get_item(at).is_ok_and(|item| write(self, &item)));
            self.bytes.push(end);
            is_written
        })
    }

    fn pair(&mut self, pair: &Bound<'py, PyAny>) -> bool {
        let Ok(pair) = pair.cast::<PyTuple>() else { return false };
        pair.len() == 2
            && pair.get_item(0).is_ok_and(|key| self.object(&key))
            && pair.get_item(1).is_ok_and(|value| self.object(&value))
    }

    /// A class or function, by its name or its number.
    fn global(&mut self, object: &Bound<'py, PyAny>, is_ordinary: bool) -> bool {
        if let Some(known) = self.globals.iter_mut().find(|known| known.object.is(object)) {
            known.is_ordinary |= is_ordinary;
            let number = known.number;
            self.get(number);
            return true;
        }
        self.new_global(object, is_ordinary)
    }

    fn get(&mut self, number: u32) {
        if let Ok(number) = u8::try_from(number) {
            self.bytes.extend_from_slice(&[BINGET, number]);
        } else {
            self.bytes.push(LONG_BINGET);
            self.bytes.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn new_global(&mut self, object: &Bound<'py, PyAny>, is_ordinary: bool) -> bool {
        let Ok(Some(Name { module, name })) = Name::of(object) else { return false };
        let (Ok(module), Ok(name)) = (module.to_str(), name.to_str()) else { return false };
        let (Ok(module_len), Ok(name_len)) = (u8::try_from(module.len()), u8::try_from(name.len()))
        else {
            return false;
        };
        self.bytes.push(BINUNICODE);
        self.bytes.extend_from_slice(&u32::from(module_len).to_le_bytes());
        self.bytes.extend_from_slice(module.as_bytes());
        self.bytes.extend_from_slice(&[SHORT_BINUNICODE, name_len]);
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(STACK_GLOBAL);
        self.is_plain = false;
        self.globals.push(Global { object: object.clone(), number: self.memoized, is_ordinary });
        self.memoize();
        true
    }

    fn memoize(&mut self) {
        self.bytes.push(MEMOIZE);
        self.memoized += 1;
    }
}
