//! The modules of `ionoscloudsdk.ionoscloud`, one file each.
