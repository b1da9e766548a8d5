//! `/api/mentoring/sessions/{id}/attendance/`: who was there, as JSON or as a table for a spreadsheet.

use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use serde_json::{Value, json as object};

use super::problem::Problem;
use super::request::ApiRequest;
use super::view::Time;
use super::{Answer, Http, json};
use crate::store::{Attendance, AttendanceEnd, Interval, UnixMillis};

impl Http {
    /// `GET attendance/`, and `GET attendance.csv`, which `Accept: text/csv` asks for too.
    pub(super) async fn attendance(&self, request: ApiRequest, id: &str, resource: &str) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let id = id.parse().map_err(|_| Problem::not_found())?;
        let people = self.mentoring.attendance(&login.user, id).await?;
        let now = UnixMillis::now();
        if resource == "attendance" && !request.accepts("text/csv") {
            let people: Vec<_> = people.iter().map(|person| view(person, now)).collect();
            return Ok(json(StatusCode::OK, &object!({ "session_id": id, "participants": people })));
        }
        let mut answer = Answer::new(csv(&people, now).into());
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"attendance.csv\""));
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        Ok(answer)
    }
}

fn view(person: &Attendance, now: UnixMillis) -> Value {
    let intervals = person.intervals.iter().map(|interval| {
        object!({
            "from": Time(interval.began_at),
            "until": interval.end.map(|(at, _)| Time(at)),
            "end_reason": interval.end.map(|(_, why)| why),
            "seconds": interval.length(now).as_secs(),
        })
    });
    object!({
        "user_id": person.user,
        "display_name": person.display_name,
        "role": person.role,
        "intervals": intervals.collect::<Vec<_>>(),
        "first_join": person.first_join().map(Time),
        "last_leave": person.last_leave().map(Time),
        "total_seconds": person.total(now).as_secs(),
    })
}

/// RFC 4180, a line an interval; what concerns the person as a whole stands on each of their lines.
fn csv(people: &[Attendance], now: UnixMillis) -> String {
    let mut lines = vec![HEADER.join(",")];
    for person in people {
        lines.extend(person.intervals.iter().map(|interval| line(person, interval, now)));
    }
    lines.into_iter().map(|line| line + "\r\n").collect()
}

fn line(person: &Attendance, interval: &Interval, now: UnixMillis) -> String {
    let time = |at: Option<UnixMillis>| at.map(|at| Time(at).to_string()).unwrap_or_default();
    let cells = [
        person.display_name.clone(),
        word(&person.role),
        time(Some(interval.began_at)),
        time(interval.end.map(|(at, _)| at)),
        interval.end.map(|(_, why): (_, AttendanceEnd)| word(&why)).unwrap_or_default(),
        interval.length(now).as_secs().to_string(),
        time(person.first_join()),
        time(person.last_leave()),
        person.total(now).as_secs().to_string(),
    ];
    cells.map(|text| cell(&text)).join(",")
}

/// A spreadsheet takes a cell that begins like this, some also in full width, for a formula, which would run on the mentor's computer.
fn cell(text: &str) -> String {
    let formula = ['=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
    let guarded = if text.starts_with(formula) { format!("'{text}") } else { text.to_owned() };
    if guarded.contains([',', '"', '\r', '\n']) { format!("\"{}\"", guarded.replace('"', "\"\"")) } else { guarded }
}

/// The word of an enum, as in JSON.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

const HEADER: [&str; 9] = ["name", "role", "from", "until", "end_reason", "seconds", "first_join", "last_leave", "total_seconds"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_never_a_formula() {
        for (text, written) in [
            ("Stu", "Stu"),
            ("", ""),
            ("Lee, Stu", "\"Lee, Stu\""),
            ("the \"Stu\"", "\"the \"\"Stu\"\"\""),
            ("two\r\nlines", "\"two\r\nlines\""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("=A,B", "\"'=A,B\""),
            ("a=b", "a=b"),
            ("\u{ff1d}1+1", "'\u{ff1d}1+1"),
            ("\u{ff20}SUM(A1)", "'\u{ff20}SUM(A1)"),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
    }
}
