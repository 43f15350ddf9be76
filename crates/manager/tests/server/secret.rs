//! TLS below the protocol.

use crate::raw::{Raw, Said};
use crate::running::{KEY, Running, builder};
use procession_manager::transport::{Stream, TlsClient, TlsServer};
use procession_testkit::guard;
use procession_wire::value::Value;

fn certified(name: &str) -> (TlsServer, TlsClient) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    (
        TlsServer::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap(),
        TlsClient::from_pem(certificate.as_bytes(), name).unwrap(),
    )
}

#[test]
fn everything_works_under_tls_too() {
    let _guard = guard();
    let (tls, client) = certified("manager.test");
    let server = Running::start(builder().tls(tls), "127.0.0.1:0");
    let mut raw = Raw::secret(&server.address, &client).unwrap();
    raw.ask(None, "hello", &[1.into(), "test".into()]).value();
    let queue = raw.create("Queue", &[]);
    // More than the session's and the socket's buffers hold, and more than one at a time.
    let large = Value::Bytes(vec![3; 4 << 20]);
    for _ in 0..3 {
        raw.tell(Some(&queue), "put", std::slice::from_ref(&large));
    }
    for _ in 0..3 {
        raw.tell(Some(&queue), "get", &[]);
    }
    for _ in 0..3 {
        assert_eq!(raw.hear(), Said::Returned(Value::None));
    }
    for _ in 0..3 {
        assert_eq!(raw.hear(), Said::Returned(large.clone()));
    }
}

#[test]
fn an_item_comes_back_from_a_client_that_goes_under_tls() {
    let _guard = guard();
    let (tls, client) = certified("manager.test");
    let server = Running::start(builder().tls(tls), "127.0.0.1:0");
    let [mut one, mut other] = [(); 2].map(|()| {
        let mut raw = Raw::secret(&server.address, &client).unwrap();
        raw.ask(None, "hello", &[1.into(), "test".into()]).value();
        raw
    });
    let queue = one.create("Queue", &[]);
    let large = Value::Bytes(vec![3; 8 << 20]);
    one.call(&queue, "put", std::slice::from_ref(&large));
    other.tell(Some(&queue), "get", &[]);
    procession_testkit::wait_until("it was handed over", || {
        one.call(&queue, "qsize", &[]) == 0.into()
    });
    drop(other);
    assert_eq!(one.call(&queue, "get", &[]), large);
}

#[test]
fn the_key_is_asked_for_under_tls_and_the_certificate_before_the_key() {
    let _guard = guard();
    let (tls, client) = certified("manager.test");
    let (_, stranger) = certified("manager.test");
    let server = Running::start(builder().tls(tls), "127.0.0.1:0");
    let stream = Stream::connect(&server.address, Some(&client), None).unwrap();
    assert!(Raw(stream).shake_hands(b"another key").is_err());
    assert!(Raw::secret(&server.address, &stranger).is_err());
    // Who speaks no TLS is not understood.
    assert!(Raw::silent(&server.address).shake_hands(KEY).is_err());
    Raw::secret(&server.address, &client).unwrap();
}
