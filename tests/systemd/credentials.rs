//! Secrets that systemd hands to the daemon alone.

use crate::manager::{ServiceManager, free_ports, write_config};

#[test]
fn a_secret_is_read_from_where_systemd_put_it_and_named_if_it_is_not_there() {
    let (mut manager, (tcp, udp)) = (ServiceManager::new(), free_ports());
    let config = write_config(manager.folder.path(), tcp, udp, "shared-secret-file = \"credential:turn.secret\"\n");
    let credentials = manager.folder.path().join("credentials");
    std::fs::create_dir(&credentials).unwrap();
    let environment = [("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap())];
    let mut without = manager.start(&config, &environment);
    assert!(!without.0.wait().unwrap().success());
    let told = std::io::read_to_string(without.0.stderr.take().unwrap()).unwrap();
    assert!(told.contains(&format!("cannot read {}/turn.secret", credentials.display())), "{told}");
    std::fs::write(credentials.join("turn.secret"), "0123456789abcdef\n").unwrap();
    let with = manager.start(&config, &environment);
    manager.wait_for("READY=1");
    let log = with.stop();
    assert!(!log.contains("0123456789abcdef"), "{log}");
}
