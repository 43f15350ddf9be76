//! Messages in a stream, in whatever pieces it comes.

use procession_testkit::guard;
use procession_wire::frame::{self, Decoded, Decoder, Header};
use proptest::prelude::*;

/// Everything that comes out of a stream that is given in pieces.
fn decode(decoder: &mut Decoder, stream: &[u8], pieces: &[usize]) -> Vec<Result<Vec<u8>, u64>> {
    let mut out = Vec::new();
    let mut rest = stream;
    let mut pieces = pieces.iter().cycle();
    while !rest.is_empty() {
        let taken = (*pieces.next().unwrap()).clamp(1, rest.len());
        let (mut input, later) = rest.split_at(taken);
        rest = later;
        loop {
            match decoder.decode(&mut input) {
                Decoded::Message(message) => out.push(Ok(message.to_vec())),
                Decoded::TooLong(length) => out.push(Err(length)),
                Decoded::Pending => break,
            }
        }
        assert!(input.is_empty());
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn messages_come_out_as_they_went_in(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
        pieces in prop::collection::vec(1_usize..200, 1..10),
        limit in 0_u64..300,
    ) {
        let mut stream = Vec::new();
        for message in &messages {
            frame::append(&mut stream, |to| to.extend(message));
        }
        let mut decoder = Decoder::new(limit);
        let expected: Vec<_> = messages
            .iter()
            .map(|message| match message.len() as u64 {
                length if length > limit => Err(length),
                _ => Ok(message.clone()),
            })
            .collect();
        prop_assert_eq!(decode(&mut decoder, &stream, &pieces), expected);
        prop_assert!(decoder.is_between());
    }

    #[test]
    fn any_bytes_are_decoded_and_keep_no_more_than_they_are(
        stream in prop::collection::vec(any::<u8>(), 0..2000),
        pieces in prop::collection::vec(1_usize..200, 1..10),
    ) {
        let mut decoder = Decoder::new(u64::MAX);
        decode(&mut decoder, &stream, &pieces);
        prop_assert!(decoder.kept() <= 2 * stream.len());
    }
}

#[test]
fn a_long_message_has_a_long_header() {
    let _guard = guard();
    assert_eq!(*Header::of(0x7fff_ffff), [0x7f, 0xff, 0xff, 0xff]);
    assert_eq!(*Header::of(0x8000_0000), [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0x80, 0, 0, 0]);
    // Nobody writes a short message with a long header, but it is read.
    let stream = b"\xff\xff\xff\xff\0\0\0\0\0\0\0\x02hi";
    for piece in 1..stream.len() {
        let out = decode(&mut Decoder::new(2), stream, &[piece]);
        assert_eq!(out, [Ok(b"hi".to_vec())]);
    }
}

#[test]
fn a_length_is_not_believed_and_what_is_too_long_is_passed_over() {
    let _guard = guard();
    let huge = [&b"\xff\xff\xff\xff"[..], &(1_u64 << 63).to_be_bytes()].concat();
    let mut decoder = Decoder::new(1 << 30);
    assert_eq!(decode(&mut decoder, &huge, &[5]), [Err(1 << 63)]);
    assert!(!decoder.is_between());
    assert_eq!(decode(&mut decoder, &[0; 100_000], &[100_000]), []);
    assert_eq!(decoder.kept(), 0);

    // Within the limit, and only a little of it comes.
    let mut decoder = Decoder::new(u64::MAX);
    assert_eq!(decode(&mut decoder, &Header::of(1 << 40), &[12]), []);
    assert_eq!(decode(&mut decoder, &[0; 1000], &[1000]), []);
    assert!(decoder.kept() <= 2000, "{}", decoder.kept());
}

#[test]
fn a_negative_length_is_an_empty_message_as_in_cpython() {
    let _guard = guard();
    let out = decode(&mut Decoder::new(10), b"\xff\xff\xff\xfe\x80\0\0\0\0\0\0\x01x", &[3]);
    assert_eq!(out, [Ok(vec![]), Ok(vec![]), Ok(b"x".to_vec())]);
}

#[test]
fn an_end_within_a_header_or_a_message_is_seen() {
    let _guard = guard();
    let stream = b"\0\0\0\x02hi";
    for taken in 0..=stream.len() {
        let mut decoder = Decoder::new(10);
        decode(&mut decoder, &stream[..taken], &[100]);
        assert_eq!(decoder.is_between(), taken == 0 || taken == stream.len(), "{taken}");
    }
}
