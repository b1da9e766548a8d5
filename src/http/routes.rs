//! Which request of the API is whose to answer: one table for each kind of resource.

use std::net::IpAddr;

use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request};

use super::problem::Problem;
use super::request::ApiRequest;
use super::{Answer, Http, hosts};

/// Who asks how, whatever it is for.
struct Asked<'a> {
    source: IpAddr,
    host: &'a str,
    method: Method,
    request: ApiRequest,
}

impl Http {
    /// Answers what a page of this very box asks of the API.
    pub(super) async fn api(
        &self,
        source: IpAddr,
        host: &str,
        resource: &[&str],
        request: Request<Incoming>,
    ) -> Result<Answer, Problem> {
        hosts::prove_same_origin(&request, host)?;
        let method = request.method().clone();
        let request = ApiRequest::new(request, self.body_bytes_max, self.body_timeout);
        let asked = Asked { source, host, method, request };
        let mut answer = match resource {
            ["mentoring", "sessions", session @ ..] => self.session_route(session, asked).await,
            ["mentoring", "video-call", room @ ..] => self.room_route(room, asked).await,
            _ => self.people_route(resource, asked).await,
        }?;
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(answer)
    }

    async fn people_route(&self, resource: &[&str], asked: Asked<'_>) -> Result<Answer, Problem> {
        let Asked { source, method, request, .. } = asked;
        match resource {
            ["setup"] => match method {
                Method::GET => self.setup_needed().await,
                Method::POST => self.set_up(source, request).await,
                _ => Err(Problem::method_not_allowed("GET, POST")),
            },
            ["setup", "link"] => only(&method, Method::POST).map(|()| self.prove_setup_link(source, request))?.await,
            ["auth", "login"] => only(&method, Method::POST).map(|()| self.sign_in(source, request))?.await,
            ["auth", "logout"] => only(&method, Method::POST).map(|()| self.sign_out(request))?.await,
            ["auth", "me"] => only(&method, Method::GET).map(|()| self.me(request))?.await,
            ["auth", "password"] => only(&method, Method::POST).map(|()| self.choose_password(source, request))?.await,
            ["accounts"] => match method {
                Method::GET => self.accounts(request).await,
                Method::POST => self.make_account(request).await,
                _ => Err(Problem::method_not_allowed("GET, POST")),
            },
            ["accounts", id] => only(&method, Method::DELETE).map(|()| self.remove_account(request, id))?.await,
            ["accounts", id, "password"] => only(&method, Method::POST).map(|()| self.reset_password(request, id))?.await,
            ["guests"] => only(&method, Method::POST).map(|()| self.redeem(source, request))?.await,
            ["mentoring", "mentors"] => only(&method, Method::GET).map(|()| self.mentors(request))?.await,
            ["mentoring", "students"] => only(&method, Method::GET).map(|()| self.students(request))?.await,
            ["admin", "health"] => only(&method, Method::GET).map(|()| self.health(request))?.await,
            _ => Err(Problem::not_found()),
        }
    }

    async fn session_route(&self, session: &[&str], asked: Asked<'_>) -> Result<Answer, Problem> {
        let Asked { host, method, request, .. } = asked;
        match session {
            [] => match method {
                Method::GET => self.list_sessions(request).await,
                Method::POST => self.request_session(request).await,
                _ => Err(Problem::method_not_allowed("GET, POST")),
            },
            [id, answer @ ("accept" | "decline")] => {
                only(&method, Method::POST).map(|()| self.answer_session(request, id, answer))?.await
            }
            [id, "members"] => only(&method, Method::POST).map(|()| self.add_member(request, id))?.await,
            [id, "members", user] => only(&method, Method::DELETE).map(|()| self.remove_member(request, id, user))?.await,
            [id, "invitations"] => match method {
                Method::GET => self.invitations(request, id).await,
                Method::POST => self.invite(request, host, id).await,
                _ => Err(Problem::method_not_allowed("GET, POST")),
            },
            [id, "invitations", invitation] => {
                only(&method, Method::DELETE).map(|()| self.revoke_invitation(request, id, invitation))?.await
            }
            [id, table @ ("attendance" | "attendance.csv")] => {
                only(&method, Method::GET).map(|()| self.attendance(request, id, table))?.await
            }
            _ => Err(Problem::not_found()),
        }
    }

    async fn room_route(&self, room: &[&str], asked: Asked<'_>) -> Result<Answer, Problem> {
        let Asked { host, method, request, .. } = asked;
        match room {
            ["create"] => only(&method, Method::POST).map(|()| self.create_room(request))?.await,
            ["session", id] => only(&method, Method::GET).map(|()| self.room_of_session(request, id))?.await,
            [id] => only(&method, Method::GET).map(|()| self.room(request, id))?.await,
            [id, "join"] => only(&method, Method::POST).map(|()| self.join_room(request, host, id))?.await,
            [id, "end"] => only(&method, Method::POST).map(|()| self.end_room(request, id))?.await,
            _ => Err(Problem::not_found()),
        }
    }
}

fn only(method: &Method, allowed: Method) -> Result<(), Problem> {
    if *method == allowed {
        Ok(())
    } else {
        Err(Problem::method_not_allowed(match allowed {
            Method::GET => "GET",
            Method::DELETE => "DELETE",
            _ => "POST",
        }))
    }
}
