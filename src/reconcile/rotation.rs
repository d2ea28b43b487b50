//! Rotation: the generations of a token to the next step. Pure, and total: every state that a killed run can leave has a
//! step that leads on.
//!
//! Generation 1 of a token `ci` is called `ci`, generation 2 is `ci-g2`, generation 3 is `ci-g3`. A successor is made,
//! delivered and verified before its predecessor is disabled; a disabled one is deleted after a grace period.

use jiff::{SignedDuration, Timestamp};

/// A successor whose password is not here may be under way in another run for so long.
const SETTLING: SignedDuration = SignedDuration::from_mins(15);

/// When a token is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationPolicy {
    /// The successor is made so long before the token ends.
    pub before: SignedDuration,
    /// A disabled token is deleted after so long.
    pub grace: SignedDuration,
}

/// Where the password of a generation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Custody {
    /// All sinks have confirmed it.
    Delivered,
    /// A run was killed before the answer of the service: the password is lost.
    Lost,
    /// It is in the credential store and some sink does not have it.
    Pending,
    /// Nothing is known here: another machine made it, or it was there before.
    Unknown,
}

/// One generation of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Number of the generation, from 1.
    pub number: u32,
    /// Whether the status of the token is `enabled`.
    pub enabled: bool,
    /// When it was made, by the service's clock.
    pub created: Option<Timestamp>,
    /// When it was last changed, by the service's clock.
    pub modified: Option<Timestamp>,
    /// When it ends; never if absent.
    pub expires: Option<Timestamp>,
    /// Where its password is.
    pub custody: Custody,
}

/// The next step of a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationStep {
    /// Make this generation.
    Create(u32),
    /// Delete this generation, whose grace period is over.
    Delete(u32),
    /// Deliver the password of this generation to the sinks.
    Deliver(u32),
    /// Disable this generation: its successor works.
    Disable(u32),
    /// Delete this generation, whose password is lost.
    Discard(u32),
    /// Nothing, until the token is due; for ever if it has no end.
    Rest {
        /// When a successor will be made.
        due: Option<Timestamp>,
    },
    /// Check that the sinks have the password of this generation, and that it works.
    Verify(u32),
    /// Another run seems to be working on this generation: check again later.
    Wait(u32),
}

/// Returns the name of a generation of a token.
pub fn generation_name(family: &str, number: u32) -> String {
    if number <= 1 { family.to_owned() } else { format!("{family}-g{number}") }
}

/// Returns the generation of a token that a name denotes, if any.
pub fn generation_number(family: &str, name: &str) -> Option<u32> {
    let rest = name.strip_prefix(family)?;
    if rest.is_empty() {
        return Some(1);
    }
    let digits = rest.strip_prefix("-g")?;
    let number = digits.parse().ok().filter(|number| *number > 1)?;
    // `ci-g02` is not a generation.
    (generation_name(family, number) == name).then_some(number)
}

/// Returns the next step. `verified` is the generation that this run has verified already.
pub fn next_rotation_step(
    generations: &[Generation],
    policy: &RotationPolicy,
    now: Timestamp,
    verified: Option<u32>,
) -> RotationStep {
    let Some(newest) = generations.iter().max_by_key(|generation| generation.number) else {
        return RotationStep::Create(1);
    };
    let older = || generations.iter().filter(|other| other.number < newest.number);
    let predecessor = older().filter(|other| other.enabled).max_by_key(|other| other.number);
    match newest.custody {
        Custody::Pending => return RotationStep::Deliver(newest.number),
        Custody::Lost => return RotationStep::Discard(newest.number),
        // A predecessor that is still enabled shows that the rotation did not come to its end, on another machine. Some
        // sinks may have the password, so the generation stays until a further one is delivered.
        Custody::Unknown if predecessor.is_some() && newest.enabled => {
            let settled = newest.created.is_none_or(|created| now >= created + SETTLING);
            return match settled {
                true => RotationStep::Create(newest.number + 1),
                false => RotationStep::Wait(newest.number),
            };
        }
        Custody::Delivered | Custody::Unknown => {}
    }
    // A newest generation that was disabled by hand leaves its predecessor in use.
    if let Some(predecessor) = predecessor.filter(|_| newest.enabled) {
        return match verified == Some(newest.number) {
            true => RotationStep::Disable(predecessor.number),
            false => RotationStep::Verify(newest.number),
        };
    }
    let gone = |other: &&Generation| {
        let since = other.modified.or(newest.created);
        !other.enabled && newest.enabled && since.is_some_and(|since| now >= since + policy.grace)
    };
    if let Some(old) = older().find(gone) {
        return RotationStep::Delete(old.number);
    }
    let due = newest.expires.map(|expires| expires.saturating_sub(policy.before).unwrap_or(Timestamp::MIN));
    match due {
        Some(due) if newest.enabled && now >= due => RotationStep::Create(newest.number + 1),
        due => RotationStep::Rest { due },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const POLICY: RotationPolicy =
        RotationPolicy { before: SignedDuration::from_hours(14 * 24), grace: SignedDuration::from_hours(24) };
    const LIFE: SignedDuration = SignedDuration::from_hours(60 * 24);

    /// A service, the sinks and the store of one machine.
    #[derive(Debug, Default)]
    struct World {
        now: Timestamp,
        tokens: Vec<Generation>,
        /// The generation whose password the sinks have.
        sinks: Option<u32>,
    }

    impl World {
        fn valid(&self) -> bool {
            let works = |token: &Generation| token.enabled && token.expires.is_none_or(|end| self.now < end);
            self.sinks.is_some_and(|number| self.tokens.iter().any(|token| token.number == number && works(token)))
        }

        /// The service deletes expired tokens.
        fn pass(&mut self, time: SignedDuration) {
            self.now += time;
            self.tokens.retain(|token| token.expires.is_none_or(|end| self.now < end));
        }

        /// A step that is killed after its first `half`.
        fn take(&mut self, step: RotationStep, half: bool, verified: &mut Option<u32>) {
            let now = self.now;
            match step {
                RotationStep::Create(number) => {
                    assert!(self.tokens.iter().all(|token| token.number != number), "two of one name");
                    let custody = if half { Custody::Lost } else { Custody::Pending };
                    let expires = Some(now + LIFE);
                    let created = Some(now);
                    self.tokens.push(Generation { number, enabled: true, created, modified: None, expires, custody });
                }
                RotationStep::Deliver(number) => {
                    self.sinks = Some(number);
                    if !half {
                        self.token(number).custody = Custody::Delivered;
                    }
                }
                RotationStep::Verify(number) => *verified = Some(number),
                RotationStep::Disable(number) => {
                    let token = self.token(number);
                    token.enabled = false;
                    token.modified = Some(now);
                }
                RotationStep::Delete(number) | RotationStep::Discard(number) => {
                    self.tokens.retain(|token| token.number != number);
                }
                RotationStep::Rest { .. } | RotationStep::Wait(_) => {}
            }
        }

        fn token(&mut self, number: u32) -> &mut Generation {
            self.tokens.iter_mut().find(|token| token.number == number).unwrap()
        }

        /// A run that is killed in its step number `kill`.
        fn run(&mut self, kill: Option<usize>, mut watch: impl FnMut(&Self)) {
            let mut verified = None;
            for count in 0..40 {
                let step = next_rotation_step(&self.tokens, &POLICY, self.now, verified);
                if matches!(step, RotationStep::Rest { .. } | RotationStep::Wait(_)) {
                    return;
                }
                let killed = kill == Some(count);
                self.take(step, killed, &mut verified);
                watch(self);
                if killed {
                    return;
                }
            }
            panic!("a run without end: {self:?}");
        }
    }

    proptest! {
        #[test]
        fn killed_rotations_end_with_one_valid_token(
            runs in proptest::collection::vec((proptest::option::of(0usize..8), 0i64..9 * 24), 1..60),
            forgets in any::<bool>(),
        ) {
            let mut world = World { now: "2031-01-01T00:00:00Z".parse().unwrap(), ..World::default() };
            world.run(None, |_| {});
            prop_assert!(world.valid());
            for (kill, hours) in runs {
                world.run(kill, |world| {
                    assert!(world.valid(), "no valid credential: {world:?}");
                    if !forgets {
                        let undelivered = world.tokens.iter().filter(|token| token.custody != Custody::Delivered);
                        assert!(undelivered.count() <= 1, "two successors: {world:?}");
                        assert!(world.tokens.iter().filter(|token| token.enabled).count() <= 2, "{world:?}");
                    }
                });
                // The next run may have another machine's store.
                if forgets {
                    world.tokens.iter_mut().for_each(|token| token.custody = Custody::Unknown);
                }
                world.pass(SignedDuration::from_hours(hours));
                // A run without a kill follows: where every run is killed, no rotation can come to its end.
                world.run(None, |world| assert!(world.valid(), "{world:?}"));
            }
            if !forgets {
                world.pass(POLICY.grace);
                world.run(None, |_| {});
                let enabled: Vec<_> = world.tokens.iter().filter(|token| token.enabled).collect();
                prop_assert_eq!(enabled.len(), 1);
                prop_assert_eq!(Some(enabled[0].number), world.sinks);
            }
        }
    }

    #[track_caller]
    fn case(generations: &[Generation], expected: RotationStep) {
        let now = "2031-03-01T00:00:00Z".parse().unwrap();
        assert_eq!(next_rotation_step(generations, &POLICY, now, None), expected);
    }

    fn generation(number: u32, enabled: bool, custody: Custody) -> Generation {
        let at = |text: &str| Some(text.parse().unwrap());
        let created = at("2031-02-01T00:00:00Z");
        Generation { number, enabled, created, modified: None, expires: at("2031-06-01T00:00:00Z"), custody }
    }

    #[test]
    fn each_state_has_its_step() {
        let due = Some("2031-05-18T00:00:00Z".parse().unwrap());
        let one = |custody| generation(1, true, custody);
        let two = |custody| generation(2, true, custody);
        case(&[], RotationStep::Create(1));
        case(&[one(Custody::Unknown)], RotationStep::Rest { due });
        case(&[one(Custody::Pending)], RotationStep::Deliver(1));
        case(&[one(Custody::Lost)], RotationStep::Discard(1));
        case(&[one(Custody::Delivered), two(Custody::Delivered)], RotationStep::Verify(2));
        case(&[one(Custody::Delivered), two(Custody::Unknown)], RotationStep::Create(3));
        case(&[generation(1, false, Custody::Delivered), two(Custody::Delivered)], RotationStep::Delete(1));
        // Disabled by hand: nothing is touched.
        case(&[one(Custody::Delivered), generation(2, false, Custody::Delivered)], RotationStep::Rest { due });
        let end = Generation { expires: Some("2031-03-10T00:00:00Z".parse().unwrap()), ..one(Custody::Delivered) };
        case(&[end], RotationStep::Create(2));
        let fresh = Generation { created: Some("2031-02-28T23:59:00Z".parse().unwrap()), ..two(Custody::Unknown) };
        case(&[one(Custody::Delivered), fresh], RotationStep::Wait(2));
    }

    #[test]
    fn names_of_generations_follow_one_rule() {
        for (name, number) in
            [("ci", Some(1)), ("ci-g2", Some(2)), ("ci-g02", None), ("ci-g1", None), ("ci-x", None), ("cj", None)]
        {
            assert_eq!(generation_number("ci", name), number, "{name}");
        }
        assert_eq!((generation_name("ci", 1), generation_name("ci", 12)), ("ci".to_owned(), "ci-g12".to_owned()));
    }
}
