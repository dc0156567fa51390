//! What a process that works for strangers may still do: compute, within bounds, and speak through the pipes it has.

use rustix::process::{Resource, Rlimit, nice, setrlimit};

/// How far behind everything else it stands: calls come first.
const NICE: i32 = 10;
/// Seconds from the signal that its time is over to the one that it cannot ignore.
const GRACE_S: u64 = 1;

/// What the process is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Compiles: what it makes is executed elsewhere, so nothing here is.
    Compiles,
    /// Runs what was compiled, with a thread beside it that interrupts the guest.
    Runs,
}

/// Limits this process for good, with all its threads.
pub(crate) fn enter(task: Task, memory_bytes: u64, cpu_s: u64) -> anyhow::Result<()> {
    nice(NICE)?;
    for (resource, current, maximum) in [
        (Resource::As, memory_bytes, memory_bytes),
        (Resource::Cpu, cpu_s, cpu_s + GRACE_S),
        (Resource::Core, 0, 0),
        (Resource::Fsize, 0, 0),
        (Resource::Nofile, 3, 3),
        #[cfg(target_os = "linux")]
        (Resource::Nproc, 0, 0),
    ] {
        let limit = Rlimit {
            current: Some(current),
            maximum: Some(maximum),
        };
        setrlimit(resource, limit)?;
    }
    #[cfg(target_os = "linux")]
    calls::restrict(task)?;
    #[cfg(not(target_os = "linux"))]
    let _ = task;
    Ok(())
}

/// System calls: those that computing takes, and no others. They fail, and what fails is told or does not matter.
#[cfg(target_os = "linux")]
mod calls {
    use std::collections::BTreeMap;

    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, apply_filter_all_threads,
    };

    use super::Task;

    /// Memory, the pipes, the end, and what the standard library and the allocator do on their own.
    const ALLOWED: &[i64] = &[
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_close,
        libc::SYS_brk,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_futex,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_gettid,
        libc::SYS_getpid,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];
    /// Running takes these too: the sleep of the thread that interrupts, and what the C library does at its start, which may be now.
    const ALLOWED_TO_RUN: &[i64] = &[
        libc::SYS_clock_nanosleep,
        libc::SYS_restart_syscall,
        libc::SYS_rseq,
        libc::SYS_set_robust_list,
    ];
    /// Who compiles may do these two only without the right to execute what is mapped: the code goes to the parent.
    const MAPPING: &[i64] = &[libc::SYS_mmap, libc::SYS_mprotect];
    /// Which argument of [`MAPPING`] has the rights.
    const RIGHTS: u8 = 2;

    pub(super) fn restrict(task: Task) -> anyhow::Result<()> {
        let executable = u64::from(libc::PROT_EXEC.unsigned_abs());
        let not_executable = rule(RIGHTS, SeccompCmpOp::MaskedEq(executable), 0)?;
        // `abort` sends a signal to its own process.
        let to_itself = rule(0, SeccompCmpOp::Eq, std::process::id().into())?;
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
            ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
        let rights = match task {
            Task::Compiles => vec![not_executable],
            Task::Runs => Vec::new(),
        };
        rules.extend(MAPPING.iter().map(|call| (*call, rights.clone())));
        if task == Task::Runs {
            rules.extend(ALLOWED_TO_RUN.iter().map(|call| (*call, Vec::new())));
        }
        rules.insert(libc::SYS_tgkill, vec![to_itself]);
        // wasmtime does without files in memory where the system has none.
        let refusal = match task {
            Task::Compiles => libc::EPERM,
            Task::Runs => libc::ENOSYS,
        };
        let program: BpfProgram = SeccompFilter::new(
            rules,
            SeccompAction::Errno(refusal.unsigned_abs()),
            SeccompAction::Allow,
            std::env::consts::ARCH.try_into()?,
        )?
        .try_into()?;
        Ok(apply_filter_all_threads(&program)?)
    }

    fn rule(argument: u8, is: SeccompCmpOp, value: u64) -> anyhow::Result<SeccompRule> {
        let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, is, value)?;
        Ok(SeccompRule::new(vec![condition])?)
    }
}
