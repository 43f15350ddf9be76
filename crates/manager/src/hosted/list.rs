//! `list`. Its items are opaque; what compares them works if they are plain data.

use super::call::{Answer, Call, Called, Fault, Hosted, Outcome, Turn, plain, truth};
use super::elements::elements;
use super::index::{Index, Slice, bound, place};
use super::order;
use super::raise;
use super::store::{Kept, Store};
use procession_wire::message::{Argument, Exception};
use procession_wire::value::Value;
use std::cmp::Ordering;
use std::rc::Rc;

const COMPARES: &str = "comparing the items of a list";
const OUTSIDE: &str = "list index out of range";

/// A list.
#[derive(Debug)]
pub(crate) struct List {
    items: Vec<Rc<Kept>>,
    store: Rc<Store>,
}

impl List {
    /// From the arguments of `list(iterable=())`.
    pub(crate) fn create(call: &Call<'_>, turn: &Turn<'_>) -> Result<Box<dyn Hosted>, Fault> {
        let [items] = call.bind([""], 0)?;
        let items = items.map_or(Ok(Vec::new()), |items| elements(items, turn))?;
        Ok(Box::new(Self { items, store: Rc::clone(turn.store) }))
    }

    fn whole(&self) -> Value {
        Value::List(self.items.iter().map(|item| item.part()).collect())
    }

    fn bytes(&self) -> usize {
        self.items.iter().map(|item| item.bytes()).sum()
    }

    /// Where the items that equal that value are, from `start` to `stop`.
    fn find(&self, wanted: &Value, start: usize, stop: usize) -> Result<Option<usize>, Fault> {
        for (place, item) in self.items.iter().enumerate().take(stop).skip(start) {
            if item.value().ok_or(Fault::Beyond(COMPARES))? == *wanted {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    fn index(&self, call: &Call<'_>) -> Called {
        let [wanted, start, stop] = call.bind(["", "", ""], 1)?;
        let wanted = wanted.map_or(Ok(Value::None), |wanted| plain(wanted, COMPARES))?;
        let length = self.items.len();
        let start = integer(start)?.map_or(0, |start| bound(start, length));
        let stop = integer(stop)?.map_or(length, |stop| bound(stop, length));
        match self.find(&wanted, start, stop)? {
            Some(place) => Ok(Value::from(place).into()),
            None => Err(raise::value_error(format!("{wanted} is not in list")).into()),
        }
    }

    fn count(&self, wanted: &Value) -> Result<usize, Fault> {
        let mut found = 0;
        for item in &self.items {
            found += usize::from(item.value().ok_or(Fault::Beyond(COMPARES))? == *wanted);
        }
        Ok(found)
    }

    fn get(&self, argument: &Argument<'_>) -> Called {
        match Index::of(argument, "list")? {
            Index::At(index) => {
                let place = place(index, self.items.len(), OUTSIDE)?;
                Ok(Outcome::Done(Answer::Payload(Rc::clone(&self.items[place]))))
            }
            Index::Slice(slice) => {
                let places = slice.places(self.items.len())?;
                Ok(Value::List(places.iter().map(|place| self.items[place].part()).collect())
                    .into())
            }
        }
    }

    fn set(&mut self, call: &Call<'_>, turn: &Turn<'_>) -> Result<(), Fault> {
        let [Some(at), Some(value)] = call.bind(["", ""], 2)? else {
            return Err(Fault::NoMethod);
        };
        match Index::of(at, "list")? {
            Index::At(index) => {
                let place = place(index, self.items.len(), "list assignment index out of range")?;
                self.items[place] = turn.store.keep(value)?;
            }
            Index::Slice(slice) => self.set_slice(&slice, elements(value, turn)?)?,
        }
        Ok(())
    }

    fn set_slice(&mut self, slice: &Slice, new: Vec<Rc<Kept>>) -> Result<(), Exception> {
        let places = slice.places(self.items.len())?;
        if !slice.has_step() {
            self.items.splice(places.start..places.start + places.count, new);
            return Ok(());
        }
        if new.len() != places.count {
            return Err(raise::value_error(format!(
                "attempt to assign sequence of size {} to extended slice of size {}",
                new.len(),
                places.count
            )));
        }
        for (place, item) in places.iter().zip(new) {
            self.items[place] = item;
        }
        Ok(())
    }

    fn delete(&mut self, argument: &Argument<'_>) -> Result<(), Fault> {
        match Index::of(argument, "list")? {
            Index::At(index) => {
                let outside = "list assignment index out of range";
                self.items.remove(place(index, self.items.len(), outside)?);
            }
            Index::Slice(slice) => {
                let mut places: Vec<_> = slice.places(self.items.len())?.iter().collect();
                places.sort_unstable();
                let mut doomed = places.into_iter().peekable();
                let mut here = 0;
                self.items.retain(|_| {
                    let goes = doomed.next_if_eq(&here).is_some();
                    here += 1;
                    !goes
                });
            }
        }
        Ok(())
    }

    fn pop(&mut self, call: &Call<'_>) -> Called {
        let [at] = call.bind([""], 0)?;
        if self.items.is_empty() {
            return Err(raise::index_error("pop from empty list").into());
        }
        let index = integer(at)?.unwrap_or(-1);
        let place = place(index, self.items.len(), "pop index out of range")?;
        Ok(Outcome::Done(Answer::Payload(self.items.remove(place))))
    }

    /// The items `times` over, which must fit.
    fn times(&self, argument: &Argument<'_>) -> Result<Vec<Rc<Kept>>, Fault> {
        let Some(times) = plain(argument, "a number")?.as_int() else {
            return Err(raise::type_error("can't multiply sequence by non-int").into());
        };
        let times = usize::try_from(times.max(0)).unwrap_or(usize::MAX);
        self.store.has_room(self.bytes(), times)?;
        Ok(self.items.iter().cycle().take(self.items.len() * times).cloned().collect())
    }

    fn sort(&mut self, call: &Call<'_>) -> Result<(), Fault> {
        if !call.args.is_empty() {
            return Err(raise::type_error("sort() takes no positional arguments").into());
        }
        let [key, reverse] = call.bind(["key", "reverse"], 0)?;
        if !matches!(key.map(|key| key.value()), None | Some(Ok(Value::None))) {
            return Err(Fault::Beyond("sorting by a key"));
        }
        let reverse = truth(reverse, false)?;
        let mut keyed = Vec::with_capacity(self.items.len());
        for item in &self.items {
            keyed.push((item.value().ok_or(Fault::Beyond(COMPARES))?, Rc::clone(item)));
        }
        let mut failed = None;
        keyed.sort_by(|(one, _), (other, _)| {
            let order = order::compare(one, other).unwrap_or_else(|error| {
                failed.get_or_insert(error);
                Ordering::Equal
            });
            if reverse { order.reverse() } else { order }
        });
        match failed {
            Some(error) => Err(error.into()),
            None => {
                self.items = keyed.into_iter().map(|(_, item)| item).collect();
                Ok(())
            }
        }
    }

    fn change(&mut self, call: &Call<'_>, turn: &Turn<'_>) -> Result<(), Fault> {
        match call.method {
            "append" => self.items.push(turn.store.keep(call.one()?)?),
            "extend" => self.items.extend(elements(call.one()?, turn)?),
            "insert" => {
                let [Some(at), Some(item)] = call.bind(["", ""], 2)? else {
                    return Err(Fault::NoMethod);
                };
                let at = bound(integer(Some(at))?.unwrap_or(0), self.items.len());
                self.items.insert(at, turn.store.keep(item)?);
            }
            "remove" => {
                let wanted = plain(call.one()?, COMPARES)?;
                match self.find(&wanted, 0, self.items.len())? {
                    Some(place) => drop(self.items.remove(place)),
                    None => {
                        return Err(raise::value_error("list.remove(x): x not in list").into());
                    }
                }
            }
            "reverse" => {
                call.none()?;
                self.items.reverse();
            }
            "clear" => {
                call.none()?;
                self.items.clear();
            }
            "sort" => self.sort(call)?,
            "__setitem__" => self.set(call, turn)?,
            "__delitem__" => self.delete(call.one()?)?,
            _ => return Err(Fault::NoMethod),
        }
        Ok(())
    }
}

/// The items of what is added to a list, which has to be one.
fn concatenable(argument: &Argument<'_>, turn: &Turn<'_>) -> Result<Vec<Rc<Kept>>, Fault> {
    match argument.value() {
        Ok(value) if !matches!(value, Value::List(_)) => {
            let name = value.type_name();
            let text = format!("can only concatenate list (not \"{name}\") to list");
            Err(raise::type_error(text).into())
        }
        _ => elements(argument, turn),
    }
}

fn integer(argument: Option<&Argument<'_>>) -> Result<Option<i128>, Fault> {
    let Some(argument) = argument else { return Ok(None) };
    let value = plain(argument, "an index")?;
    match value.as_int() {
        Some(number) => Ok(Some(number)),
        None => {
            let name = value.type_name();
            let text = format!("'{name}' object cannot be interpreted as an integer");
            Err(raise::type_error(text).into())
        }
    }
}

impl Hosted for List {
    fn exposed(&self) -> &'static [&'static str] {
        &[
            "__add__",
            "__contains__",
            "__delitem__",
            "__getitem__",
            "__len__",
            "__mul__",
            "__reversed__",
            "__rmul__",
            "__setitem__",
            "append",
            "count",
            "extend",
            "index",
            "insert",
            "pop",
            "remove",
            "reverse",
            "sort",
            "__imul__",
            "clear",
            "copy",
        ]
    }

    fn call(&mut self, call: &Call<'_>, turn: &mut Turn<'_>) -> Called {
        match call.method {
            "__len__" => Ok(Value::from(self.items.len()).into()),
            "__getitem__" => self.get(call.one()?),
            "__contains__" => {
                let wanted = plain(call.one()?, COMPARES)?;
                Ok(Value::Bool(self.find(&wanted, 0, self.items.len())?.is_some()).into())
            }
            "count" => Ok(Value::from(self.count(&plain(call.one()?, COMPARES)?)?).into()),
            "index" => self.index(call),
            "pop" => self.pop(call),
            "copy" => {
                call.none()?;
                Ok(self.whole().into())
            }
            "__add__" => {
                let more = concatenable(call.one()?, turn)?;
                let all = self.items.iter().chain(&more);
                Ok(Value::List(all.map(|item| item.part()).collect()).into())
            }
            "__mul__" | "__rmul__" => {
                let items = self.times(call.one()?)?;
                Ok(Value::List(items.iter().map(|item| item.part()).collect()).into())
            }
            "__imul__" => {
                let times = self.times(call.one()?)?;
                self.items = times;
                Ok(self.whole().into())
            }
            "__reversed__" => Ok(Value::call("builtins", "reversed", vec![self.whole()]).into()),
            _ => self.change(call, turn).map(|()| Value::None.into()),
        }
    }

    fn repr(&self, _address: &str) -> Result<String, Fault> {
        let parts = self.items.iter().map(|item| item.repr());
        Ok(format!("[{}]", parts.collect::<Result<Vec<_>, _>>()?.join(", ")))
    }

    fn contents(&self) -> Result<Answer, Fault> {
        Ok(Answer::Value(self.whole()))
    }
}
