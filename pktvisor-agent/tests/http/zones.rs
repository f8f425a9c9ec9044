//! Link-local addresses, on a link of the test's own.

use std::io::{Read, Write};
use std::net::{SocketAddrV6, TcpStream};

use pktvisor_agent::serve::Server;
use testbed::{End, Namespace, Need, Veth};
use tokio::runtime::Runtime;

use crate::client::Running;

#[test]
fn a_link_local_address_is_served_on_its_interface_in_each_notation() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).addresses("fe80::1/64", "fe80::2/64").create();
    let (name, index) = (pair.left.name(), index(&pair.left));
    for zone in [name, &format!("25{name}"), &index.to_string(), &format!("25{index}")] {
        for host in [format!("fe80::1%{zone}"), format!("[fe80::1%{zone}]")] {
            let (_runtime, server) = left.run(|| serve(&host));
            let port = server.address().port();
            let address = SocketAddrV6::new("fe80::1".parse().unwrap(), port, 0, self::index(&pair.right));
            assert!(right.run(|| get_health(address)).starts_with("HTTP/1.1 200"), "{host}");
        }
    }
}

fn index(end: &End) -> u32 {
    let path = format!("/sys/class/net/{}/ifindex", end.name());
    end.namespace().run(|| std::fs::read_to_string(path).unwrap().trim().parse().unwrap())
}

/// Its threads are in the namespace that this is called in.
fn serve(host: &str) -> (Runtime, Running) {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(async { Running::run(Server::bind(host, 0).await.unwrap()) });
    (runtime, server)
}

fn get_health(address: SocketAddrV6) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
