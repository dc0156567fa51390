//! A far end that has fewer lines than anybody said: its refusals teach how many they are. It counts itself what of them is used.

use std::time::Duration;

use jackfield_interop::broadcasts::number;
use jackfield_interop::callees::Callees;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};

const LIMIT: Duration = Duration::from_secs(480);
const LINES: usize = 20;
/// Calls that come before it is counted: those of the first refusals, and of the first that is tried beyond them.
const WARM_UP: usize = 150;
/// Calls that are counted.
const COUNTED: usize = 250;
/// Calls that wait all the while.
const WAITING: usize = 30;

#[test]
fn after_the_warm_up_its_lines_are_used_and_seldom_overrun() {
    let callees = Callees::with_lines(LINES);
    let trunk = format!("target = \"{}\"\nmax_channels = 40\n", callees.address);
    let numbers = vec![("1000", Flow::Component("menu"))];
    let server = Server::start(&Tenants::over_trunk(&trunk, numbers));
    let rest = server.rest();
    for of in 0..WARM_UP + COUNTED + WAITING {
        // Of 2 to 6 seconds, so that they do not end together.
        let seconds = 2 + of * 3 % 5;
        let pause = format!("<Response><Pause length=\"{seconds}\"/></Response>");
        let _sid = rest.place("1000", &number(of), &pause);
    }
    let calls = eventually("so many calls have come", LIMIT, || {
        let arrivals = callees.arrivals();
        (arrivals.len() >= WARM_UP + COUNTED).then_some(arrivals)
    });
    let (warm_up, counted) = calls[..WARM_UP + COUNTED].split_at(WARM_UP);
    assert!(
        warm_up.iter().any(|call| call.is_refused),
        "nobody said how many lines there are"
    );
    let refused = counted.iter().filter(|call| call.is_refused).count();
    let used: usize = counted.iter().map(|call| call.lines_taken).sum();
    let percent = 100 * used / (LINES * COUNTED);
    eprintln!("{refused} of {COUNTED} calls refused, {percent} % of the lines used");
    assert!(50 * refused < COUNTED, "{refused} of {COUNTED} are refused");
    assert!(percent >= 95, "{percent} % of the lines are used");
    drop(server);
}
