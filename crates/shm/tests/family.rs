//! One process of a family.

use procession_shm::{Kind, MemberState, family};
use procession_testkit::{guard_after, wait_until};
use std::fs::File;
use std::os::unix::fs::MetadataExt;

/// The arena, which stays.
fn arena() {
    family().unwrap();
}

#[test]
fn a_block_that_was_given_back_is_known_to_be_gone() {
    let _guard = guard_after(arena);
    let family = family().unwrap();
    let block = family.take(Kind::Parcel, 1 << 20).unwrap();
    block.region.write(0, b"abc");
    let mut back = [0; 3];
    family.arena().block(block.handle).unwrap().region.read(0, &mut back);
    assert_eq!(&back, b"abc");
    family.give(block.handle);
    assert!(family.arena().block(block.handle).is_err());
}

#[test]
fn an_object_lives_until_the_last_holder_lets_go() {
    let _guard = guard_after(arena);
    let family = family().unwrap();
    let first = family.make(Kind::Event, 128, 7, |_| Ok(())).unwrap();
    let handle = first.handle();
    let second = family.attach(handle, Kind::Event, 7).unwrap();
    assert!(family.attach(handle, Kind::Event, 8).is_err());
    assert!(family.attach(handle, Kind::Lock, 7).is_err());
    drop(first);
    let third = family.attach(handle, Kind::Event, 7).unwrap();
    drop((second, third));
    assert!(family.attach(handle, Kind::Event, 7).is_err());
}

#[test]
fn a_thousand_objects_are_all_freed() {
    let _guard = guard_after(arena);
    let family = family().unwrap();
    let make = |_| family.make(Kind::Lock, 64, 1, |_| Ok(())).unwrap();
    let objects: Vec<_> = (0..1000).map(make).collect();
    let handles: Vec<_> = objects.iter().map(|object| object.handle()).collect();
    drop(objects);
    for handle in handles {
        assert!(family.arena().block(handle).is_err());
    }
}

#[test]
fn a_reserved_seat_can_be_withdrawn() {
    let _guard = guard_after(arena);
    let family = family().unwrap();
    let seat = family.reserve().unwrap();
    family.release(seat);
    assert_eq!(family.state(seat), MemberState::Free);
}

#[test]
fn memory_of_a_burst_goes_back_though_nobody_takes_or_frees_any_more() {
    let _guard = guard_after(arena);
    let family = family().unwrap();
    let blocks = [(); 4].map(|()| family.take(Kind::Parcel, 25 << 20).unwrap());
    blocks.iter().for_each(|block| family.give(block.handle));
    let idle = || family.arena().usage().1;
    wait_until("no more is kept than always is", || {
        family.look_for_deaths();
        idle() <= 32 << 20
    });
}

#[test]
fn memory_of_blocks_of_any_length_goes_back_whole() {
    let _guard = guard_after(arena);
    let family = family().unwrap();
    let lengths = [15 << 10, 20 << 10, 37 << 10, 100 << 10].into_iter().cycle().take(2000);
    let blocks: Vec<_> = lengths.map(|len| family.take(Kind::Parcel, len).unwrap()).collect();
    blocks.iter().for_each(|block| family.give(block.handle));
    let file = File::from(family.fd().try_clone_to_owned().unwrap());
    let memory = || file.metadata().unwrap().blocks() * 512;
    // The tables, and what slabs have not been cut into yet.
    let beside = 4 << 20;
    wait_until("the arena has the memory that it says it has", || {
        family.look_for_deaths();
        let (used, idle, _) = family.arena().usage();
        idle <= 32 << 20 && memory() <= used + idle + beside
    });
}
