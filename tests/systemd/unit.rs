//! The unit, as systemd itself judges it.

use std::path::Path;
use std::process::Command;

#[test]
fn the_unit_leaves_an_exposure_of_at_most_1_5_and_with_sockets_of_systemd_s_1_1() {
    let folder = tempfile::tempdir().unwrap();
    let systemd = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd");
    let read = |file: &str| std::fs::read_to_string(systemd.join(file)).unwrap();
    let (unit, sockets) = (read("visavis.service"), read("examples/visavis.service.d/sockets.conf"));
    for (text, most) in [(unit.clone(), 1.5), (unit + &sockets, 1.1)] {
        let path = folder.path().join("visavis.service");
        std::fs::write(&path, text).unwrap();
        let Ok(judged) = Command::new("systemd-analyze").args(["security", "--offline=true"]).arg(&path).output() else {
            eprintln!("not tested: systemd-analyze is not installed");
            return;
        };
        let report = String::from_utf8_lossy(&judged.stdout).into_owned();
        let exposure = report.split("exposure level for visavis.service: ").nth(1).and_then(|rest| rest.split(' ').next());
        assert!(exposure.is_some_and(|exposure| exposure.parse::<f64>().unwrap() <= most), "{report}");
    }
}
