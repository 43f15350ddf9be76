//! Unix sockets and TLS.

use crate::servers::{KEY, Ours};
use procession_manager::client::{Manager, ManagerError, Queue, Typed};
use procession_manager::transport::{TlsClient, TlsServer};
use procession_testkit::{guard, guard_after};
use serde_bytes::ByteBuf;
use std::thread;

/// What works over one way works over each.
fn use_it(manager: &Manager) {
    let queue: Queue<ByteBuf> = manager.get("get_task_queue").unwrap();
    let large = ByteBuf::from(vec![7; 3 << 20]);
    // Much goes out while much comes in.
    queue.put_many(std::iter::repeat_n(&large, 5)).unwrap();
    let got = queue.get_many(5).unwrap();
    assert!(got.len() == 5 && got.iter().all(|one| *one == large));
    thread::scope(|scope| {
        let waiter = scope.spawn(|| queue.get());
        queue.put(&ByteBuf::from(b"woken")).unwrap();
        assert_eq!(waiter.join().unwrap().unwrap(), b"woken");
    });
    queue.put_payload(&queue.proxy().to_payload()).unwrap();
    let again: Queue<u32> = manager.proxy_in(&queue.get_payload().unwrap()).unwrap().unwrap();
    assert_eq!(again.proxy(), queue.proxy());
}

#[test]
fn a_path_and_a_name_are_unix_sockets() {
    // A server on a Unix socket founds the family of this process, which stays.
    let name = format!("@procession-family-{}", std::process::id());
    let _guard = guard_after(|| drop(Ours::start_at(&name, None)));
    let path = format!("{}/reaches-{}.sock", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let name = format!("@procession-reaches-{}", std::process::id());
    for address in [path, name] {
        let server = Ours::start_at(&address, None);
        use_it(&Manager::connect(&server.address, KEY).unwrap());
        let error = Manager::connect(address.as_str(), "another").unwrap_err();
        assert!(error.is_refused() && error.to_string().contains(&address), "{error}");
    }
}

fn certified(name: &str) -> (TlsServer, TlsClient) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let server = TlsServer::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    (server, TlsClient::from_pem(certificate.as_bytes(), name).unwrap())
}

#[test]
fn under_tls_everything_works_and_a_stranger_is_not_believed() {
    let _guard = guard();
    let (tls, client) = certified("manager.test");
    let server = Ours::start_at("127.0.0.1:0", Some(tls));
    let way = Manager::builder().tls(client);
    use_it(&way.clone().connect(&server.address, KEY).unwrap());
    assert!(way.connect(&server.address, "another").unwrap_err().is_refused());
    let (_, stranger) = certified("manager.test");
    let error = Manager::builder().tls(stranger).connect(&server.address, KEY).unwrap_err();
    assert!(matches!(error, ManagerError::Connect { .. }), "{error:?}");
    assert!(error.to_string().contains("certificate"), "{error}");
    assert!(Manager::connect(&server.address, KEY).is_err());
}
