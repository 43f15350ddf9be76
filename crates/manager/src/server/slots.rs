//! The connections, each under a number that is never used again.

use super::connection::Connection;
use crate::hosted::Owner;

/// How many bits of a number say where the connection stands; the others count up.
const PLACE_BITS: u32 = 24;

/// Connections by number. Numbers grow with time, so the smaller of two came first.
#[derive(Debug, Default)]
pub(super) struct Slots {
    places: Vec<Place>,
    free: Vec<usize>,
    serial: u64,
    open: usize,
}

#[derive(Debug)]
struct Place {
    owner: Owner,
    /// Empty while somebody works on the connection.
    connection: Option<Box<Connection>>,
}

fn place_of(owner: Owner) -> usize {
    (owner & ((1 << PLACE_BITS) - 1)) as usize
}

impl Slots {
    /// Reserves a number; `None` if there is none left.
    pub(super) fn open(&mut self) -> Option<Owner> {
        let place = self.free.pop().unwrap_or(self.places.len());
        if place >> PLACE_BITS != 0 {
            return None;
        }
        self.serial += 1;
        let owner = self.serial << PLACE_BITS | place as u64;
        match self.places.get_mut(place) {
            Some(old) => old.owner = owner,
            None => self.places.push(Place { owner, connection: None }),
        }
        self.open += 1;
        Some(owner)
    }

    /// Takes a connection out, to work on it.
    pub(super) fn take(&mut self, owner: Owner) -> Option<Box<Connection>> {
        let place = self.places.get_mut(place_of(owner))?;
        if place.owner == owner { place.connection.take() } else { None }
    }

    /// Puts it where it was.
    pub(super) fn put(&mut self, connection: Box<Connection>) {
        if let Some(place) = self.places.get_mut(place_of(connection.owner)) {
            place.connection = Some(connection);
        }
    }

    /// A look at a connection.
    pub(super) fn get_mut(&mut self, owner: Owner) -> Option<&mut Connection> {
        let place = self.places.get_mut(place_of(owner))?;
        if place.owner == owner { place.connection.as_deref_mut() } else { None }
    }

    /// The number of a connection that has been taken out is free.
    pub(super) fn close(&mut self, owner: Owner) {
        let place = place_of(owner);
        if let Some(old) = self.places.get_mut(place).filter(|old| old.owner == owner) {
            old.owner = 0;
            self.free.push(place);
            self.open -= 1;
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.open
    }

    /// The numbers of all that are not taken out.
    pub(super) fn owners(&self) -> Vec<Owner> {
        let present = self.places.iter().filter(|place| place.connection.is_some());
        present.map(|place| place.owner).collect()
    }
}
