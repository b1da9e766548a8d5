//! A student requests, a mentor answers.

use super::members::role_in;
use super::{Mentoring, MentoringError};
use crate::proto::id::{SessionId, UserId};
use crate::proto::signal::Role;
use crate::store::{MentoringSession, Person, SessionStatus, User};
use crate::sys::entropy;

/// A mentor's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Both may meet.
    Accept,
    /// They will not meet.
    Decline,
}

impl Mentoring {
    /// Who can be asked, by name.
    ///
    /// # Errors
    /// [`MentoringError::ForbiddenRole`] for guests, or what the database refused with.
    pub async fn mentors(&self, user: &User) -> Result<Vec<Person>, MentoringError> {
        if user.role == Role::Guest {
            return Err(MentoringError::ForbiddenRole("guests belong to one session and ask for no other"));
        }
        self.people(Role::Mentor).await
    }

    /// Whom a session can be arranged with, by name.
    ///
    /// # Errors
    /// [`MentoringError::ForbiddenRole`] for anybody but mentors and admins, or what the database refused with.
    pub async fn students(&self, user: &User) -> Result<Vec<Person>, MentoringError> {
        if !user.role.is_staff() {
            return Err(MentoringError::ForbiddenRole("only mentors and admins see who the students are"));
        }
        self.people(Role::Student).await
    }

    /// The person's sessions, newest first; an admin sees all.
    ///
    /// # Errors
    /// What the database refused with.
    pub async fn sessions(&self, user: &User) -> Result<Vec<MentoringSession>, MentoringError> {
        let of = (user.role != Role::Admin).then_some(user.id);
        Ok(self.store.sessions(of).await?)
    }

    /// A student asks a mentor for a session about `topic` (1 to 200 characters).
    ///
    /// # Errors
    /// [`MentoringError::ForbiddenRole`] for anybody but students, [`MentoringError::InvalidField`],
    /// [`MentoringError::TooManyRequests`], or what the database refused with.
    pub async fn request(&self, student: &User, mentor: UserId, topic: &str) -> Result<MentoringSession, MentoringError> {
        if student.role != Role::Student {
            return Err(MentoringError::ForbiddenRole("only students request sessions"));
        }
        let topic = topic_of(topic)?;
        self.prove_role(mentor, Role::Mentor, "mentor_id", "choose one of the mentors").await?;
        if self.store.open_requests(student.id).await? >= OPEN_REQUESTS_MAX {
            return Err(MentoringError::TooManyRequests);
        }
        let id = SessionId::from_random(entropy::random());
        self.store.insert_session(id, mentor, student.id, topic).await?;
        self.member_session(student, id).await
    }

    /// A mentor makes a session with a student, or an admin one of any mentor with any student; it counts as accepted.
    ///
    /// # Errors
    /// [`MentoringError::ForbiddenRole`] for anybody else, and for mentors who name another; [`MentoringError::InvalidField`], or what
    /// the database refused with.
    pub async fn arrange(
        &self,
        user: &User,
        mentor: Option<UserId>,
        student: UserId,
        topic: &str,
    ) -> Result<MentoringSession, MentoringError> {
        let own = (user.role == Role::Mentor).then_some(user.id);
        let mentor = match (user.role, mentor) {
            (Role::Mentor, None) => user.id,
            (Role::Mentor, named) if named == own => user.id,
            (Role::Admin, Some(mentor)) => mentor,
            (Role::Admin, None) => {
                return Err(MentoringError::InvalidField { field: "mentor_id", remedy: "choose one of the mentors" });
            }
            _ => {
                return Err(MentoringError::ForbiddenRole(
                    "mentors arrange sessions of their own, and admins those of everybody",
                ));
            }
        };
        let topic = topic_of(topic)?;
        self.prove_role(mentor, Role::Mentor, "mentor_id", "choose one of the mentors").await?;
        self.prove_role(student, Role::Student, "student_id", "choose one of the students").await?;
        let id = SessionId::from_random(entropy::random());
        self.store.insert_accepted_session(id, mentor, student, topic).await?;
        self.store.session(id).await?.ok_or(MentoringError::NotFound)
    }

    /// The mentor accepts or declines.
    ///
    /// # Errors
    /// [`MentoringError::NotFound`] for outsiders, [`MentoringError::ForbiddenRole`] for the student,
    /// [`MentoringError::AlreadyAnswered`], or what the database refused with.
    pub async fn answer(&self, user: &User, id: SessionId, answer: Answer) -> Result<MentoringSession, MentoringError> {
        let session = self.member_session(user, id).await?;
        if session.mentor.id != user.id {
            return Err(MentoringError::ForbiddenRole("only the mentor answers a request"));
        }
        let status = match answer {
            Answer::Accept => SessionStatus::Accepted,
            Answer::Decline => SessionStatus::Declined,
        };
        if !self.store.answer_session(id, status).await? {
            return Err(MentoringError::AlreadyAnswered);
        }
        self.member_session(user, id).await
    }

    async fn people(&self, role: Role) -> Result<Vec<Person>, MentoringError> {
        let people = self.store.users(Some(role)).await?;
        Ok(people.into_iter().map(|user| Person { id: user.id, display_name: user.display_name }).collect())
    }

    async fn prove_role(
        &self,
        user: UserId,
        role: Role,
        field: &'static str,
        remedy: &'static str,
    ) -> Result<(), MentoringError> {
        let fits = self.store.has_role(user, role).await?;
        if fits { Ok(()) } else { Err(MentoringError::InvalidField { field, remedy }) }
    }

    /// The session, for its mentor, its student and its other members alone.
    pub(super) async fn member_session(&self, user: &User, id: SessionId) -> Result<MentoringSession, MentoringError> {
        let session = self.store.session(id).await?.ok_or(MentoringError::NotFound)?;
        if role_in(&session, user).is_some() { Ok(session) } else { Err(MentoringError::NotFound) }
    }
}

fn topic_of(text: &str) -> Result<String, MentoringError> {
    let topic = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !(1..=TOPIC_CHARS_MAX).contains(&topic.chars().count()) || topic.chars().any(char::is_control) {
        return Err(MentoringError::InvalidField { field: "topic", remedy: "say in 1 to 200 characters what it is about" });
    }
    Ok(topic)
}

const TOPIC_CHARS_MAX: usize = 200;
const OPEN_REQUESTS_MAX: u32 = 20;
