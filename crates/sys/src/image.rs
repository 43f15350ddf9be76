//! Sending a function to another process that runs the same program.
//!
//! Without it a child would need a registry of names or a copy of the parent. An address means nothing elsewhere
//! (position-independent code is loaded at random), but the distance from the start of the program's image does.
//!
//! What travels ([`Shipped`]) are two distances: that of the function, and that of a `Descriptor`, a constant
//! which the compiler made for the function's type and which knows how to call it. Nobody jumps to a number: the
//! receiver checks that the descriptor is aligned, lies in a readable segment, carries the magic and the name of
//! the expected type, and that both pointers lead into an executable segment of the main image.
//!
//! Deliberately not here: functions of shared libraries (they go by name), and other machines or other builds
//! (the start protocol compares [`Build`]s first).

use std::any::Any;
use std::marker::PhantomData;
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

/// Why a function could not be sent, or what was received could not be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The program headers of the main program were not found.
    #[error(
        "cannot find the image of the running program: no loaded object has its program headers"
    )]
    NoImage,
    /// The function is not part of the main program.
    #[error(
        "cannot send a function of a shared library to another process: its distance from the program is not the \
         same there; register it by name instead"
    )]
    Foreign,
    /// The bytes were not written by [`Shipped::to_bytes`].
    #[error("cannot call a received function: its description is damaged or is not one")]
    Damaged,
    /// A distance does not lead to a descriptor or a function.
    #[error(
        "cannot call a received function: it was sent by another build of this program; start both from one file"
    )]
    OtherBuild,
}

/// What a received function is called with, and by whom: one implementation for each way to run functions.
///
/// The receiver does not know the function's type. The implementation does, because the compiler instantiated it
/// where the function was sent. It finds its input in `task`, and leaves its output there.
pub trait Entry<F>: 'static {
    /// Calls `f` as this entry sees fit.
    fn enter(f: F, task: &mut dyn Any);
}

/// A type of function pointers: `fn(A) -> R` and `fn(A, B) -> R`.
pub trait Pointer: Copy + sealed::Sealed {
    #[doc(hidden)]
    fn address(self) -> usize;
    #[doc(hidden)]
    fn revive(opaque: Opaque, _: sealed::Token) -> Self;
}

mod sealed {
    /// Only this module's types are pointers to functions.
    pub trait Sealed {}
    /// Only this module revives one.
    #[derive(Debug)]
    pub struct Token(pub(super) ());
}

macro_rules! pointers {
    ($(($($argument:ident),+))+) => {$(
        impl<$($argument,)+ R> sealed::Sealed for fn($($argument),+) -> R {}

        impl<$($argument,)+ R> Pointer for fn($($argument),+) -> R {
            fn address(self) -> usize {
                self as usize
            }

            fn revive(opaque: Opaque, _: sealed::Token) -> Self {
                // SAFETY: `opaque` must really be of this type. It is the function that was given to `ship`
                // together with the address of the descriptor through which we came here: `Shipped` keeps the two
                // distances behind one checksum, `ship` is the only maker of them, and it takes the pair as `F` and
                // `Trampoline<E, F>`. Function pointers of all types have one size, and this is the type the
                // function was made from. What cannot be proved is that nobody composed 32 bytes with a right
                // checksum by hand; the parent is at the other end of what they arrive on.
                unsafe { std::mem::transmute::<Opaque, Self>(opaque) }
            }
        }
    )+};
}

pointers!((A)(A, B));

/// A function of unknown type. It is never called as what it claims to be here.
#[doc(hidden)]
pub type Opaque = fn();

const MAGIC: u64 = u64::from_le_bytes(*b"proc.fn1");

/// The constant behind a type of function: how to recognise it and how to call it.
#[repr(C)]
struct Descriptor {
    magic: u64,
    name: fn() -> &'static str,
    call: fn(Opaque, &mut dyn Any),
}

/// Carrier of the descriptor of functions of type `F` run by `E`.
struct Trampoline<E, F> {
    /// Of the types there is only the descriptor.
    _types: PhantomData<(E, F)>,
}

impl<E: Entry<F>, F: Pointer> Trampoline<E, F> {
    const DESCRIPTOR: &'static Descriptor =
        &Descriptor { magic: MAGIC, name: Self::name, call: Self::call };

    fn name() -> &'static str {
        std::any::type_name::<(E, F)>()
    }

    fn call(f: Opaque, task: &mut dyn Any) {
        E::enter(F::revive(f, sealed::Token(())), task);
    }
}

/// A function on its way to another process of the same program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipped {
    descriptor: u64,
    function: u64,
    name: u64,
}

impl Shipped {
    /// The size of [`to_bytes`](Self::to_bytes).
    pub const SIZE: usize = 32;

    /// What travels: the two distances, the hash of the type's name, and a checksum of the three.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..8].copy_from_slice(&self.descriptor.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.function.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.name.to_le_bytes());
        let sum = hash(&bytes[..24]);
        bytes[24..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    ///
    /// [`ImageError::Damaged`] if it did not write them.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Result<Self, ImageError> {
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(word)
        };
        if word(24) != hash(&bytes[..24]) {
            return Err(ImageError::Damaged);
        }
        Ok(Self { descriptor: word(0), function: word(8), name: word(16) })
    }

    /// Turns the distances back into something that can be called, after every check that can be made.
    ///
    /// # Errors
    ///
    /// [`ImageError::OtherBuild`] if they do not lead to a descriptor of the same type and to code;
    /// [`ImageError::NoImage`].
    pub fn resolve(self) -> Result<Function, ImageError> {
        let image = Image::of_program()?;
        let descriptor = image.descriptor(self.descriptor)?;
        let call = descriptor.call as usize;
        if !image.is_code(descriptor.name as usize) || !image.is_code(call) {
            return Err(ImageError::OtherBuild);
        }
        if hash((descriptor.name)().as_bytes()) != self.name {
            return Err(ImageError::OtherBuild);
        }
        let function = image.address(self.function);
        if !image.is_code(function) {
            return Err(ImageError::OtherBuild);
        }
        // SAFETY: a function pointer must not be null and must point to code: the address lies in an executable
        // segment of the main image, which is mapped for as long as the process runs. Its real type is settled in
        // `Trampoline::call`, the only place that calls it.
        let function = unsafe {
            std::mem::transmute::<*const (), Opaque>(std::ptr::with_exposed_provenance(function))
        };
        Ok(Function { call: descriptor.call, function })
    }
}

/// A received function that passed the checks.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    call: fn(Opaque, &mut dyn Any),
    function: Opaque,
}

impl Function {
    /// Runs the function by the [`Entry`] that it was shipped for.
    pub fn call(&self, task: &mut dyn Any) {
        (self.call)(self.function, task);
    }
}

/// Describes `f` for another process of the same program, where `E` will run it.
///
/// # Errors
///
/// [`ImageError::Foreign`] if `f` is not part of the main program.
pub fn ship<E: Entry<F>, F: Pointer>(f: F) -> Result<Shipped, ImageError> {
    let image = Image::of_program()?;
    let descriptor: &'static Descriptor = Trampoline::<E, F>::DESCRIPTOR;
    let at = std::ptr::from_ref(descriptor).expose_provenance();
    if !image.is_code(f.address()) || !image.is_readable(at, size_of::<Descriptor>()) {
        return Err(ImageError::Foreign);
    }
    Ok(Shipped {
        descriptor: image.distance(at),
        function: image.distance(f.address()),
        name: hash(Trampoline::<E, F>::name().as_bytes()),
    })
}

/// Whether `f` is part of the main program, and not of a library that it loaded.
///
/// # Errors
///
/// [`ImageError::NoImage`].
pub fn is_in_program(f: extern "C" fn()) -> Result<bool, ImageError> {
    Ok(Image::of_program()?.is_code(f as usize))
}

/// Which file a process runs: equal for two processes exactly if offsets mean the same in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Build([u64; 5]);

impl Build {
    /// The size of [`to_bytes`](Self::to_bytes).
    pub const SIZE: usize = 40;

    /// The build of the running program: device, inode, size and time of the file, even if it was replaced since.
    ///
    /// # Errors
    ///
    /// If `/proc` is not mounted.
    pub fn of_program() -> std::io::Result<Self> {
        let file = std::fs::metadata("/proc/self/exe")?;
        let time = (file.mtime() as u64).wrapping_mul(1_000_000_000);
        Ok(Self([
            file.dev(),
            file.ino(),
            file.size(),
            time.wrapping_add(file.mtime_nsec() as u64),
            MAGIC,
        ]))
    }

    /// The five words, little-endian.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }
}

/// FNV-1a: a check against accidents, not against an enemy.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// One loadable segment of the main image.
#[derive(Debug, Clone, Copy)]
struct Segment {
    start: usize,
    end: usize,
    flags: u32,
}

/// Where the main program lies in memory.
#[derive(Debug)]
struct Image {
    bias: usize,
    segments: Vec<Segment>,
}

impl Image {
    fn of_program() -> Result<&'static Self, ImageError> {
        static IMAGE: OnceLock<Option<Image>> = OnceLock::new();
        IMAGE.get_or_init(Self::find).as_ref().ok_or(ImageError::NoImage)
    }

    fn find() -> Option<Self> {
        let mut found = None;
        // SAFETY: dl_iterate_phdr(3) calls `visit` for each loaded object with a valid `dl_phdr_info` and the given
        // data pointer, and does not keep either. `visit` does not unwind (it neither indexes nor calls user code;
        // the only allocation is a Vec), and it uses the pointer as the `Option<Image>` that it is.
        unsafe { libc::dl_iterate_phdr(Some(visit), std::ptr::from_mut(&mut found).cast()) };
        found
    }

    fn address(&self, distance: u64) -> usize {
        self.bias.wrapping_add(distance as usize)
    }

    fn distance(&self, address: usize) -> u64 {
        address.wrapping_sub(self.bias) as u64
    }

    fn is_readable(&self, start: usize, size: usize) -> bool {
        self.lies_in(start, size, libc::PF_R)
    }

    fn is_code(&self, address: usize) -> bool {
        self.lies_in(address, 1, libc::PF_X)
    }

    fn lies_in(&self, start: usize, size: usize, flag: u32) -> bool {
        self.segments.iter().any(|segment| {
            segment.flags & flag != 0
                && segment.start <= start
                && start < segment.end
                && size <= segment.end - start
        })
    }

    fn descriptor(&self, distance: u64) -> Result<&'static Descriptor, ImageError> {
        let at = self.address(distance);
        if !at.is_multiple_of(align_of::<Descriptor>())
            || !self.is_readable(at, size_of::<Descriptor>())
        {
            return Err(ImageError::OtherBuild);
        }
        let magic = std::ptr::with_exposed_provenance::<u64>(at);
        // SAFETY: `read` asks for a valid, aligned pointer to initialised memory: the address is aligned and lies
        // in a readable segment of the main image, which stays mapped. It may lie in a writable one; a volatile
        // read of a word that somebody else is changing gives some value, and all but one are refused.
        if unsafe { magic.read_volatile() } != MAGIC {
            return Err(ImageError::OtherBuild);
        }
        // SAFETY: as above for the whole size, plus a valid value for the type: the magic says that this is a
        // `Descriptor` constant of this build (whose identity was compared before any offset was accepted). Its
        // function pointers were relocated by the loader. A constant is never written.
        Ok(unsafe { &*std::ptr::with_exposed_provenance::<Descriptor>(at) })
    }
}

/// Notes the segments of the main program and stops at it.
extern "C" fn visit(
    info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    found: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: `info` is valid for this call, as dl_iterate_phdr(3) promises.
    let info = unsafe { &*info };
    // SAFETY: getauxval(3) has no requirement; it answers 0 for what it does not know.
    let headers = unsafe { libc::getauxval(libc::AT_PHDR) };
    if info.dlpi_phdr.expose_provenance() as u64 != headers as u64 {
        return 0;
    }
    // SAFETY: `dlpi_phdr` and `dlpi_phnum` describe the program headers of a loaded object, mapped for as long as it.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let bias = info.dlpi_addr as usize;
    let segments = headers
        .iter()
        .filter(|header| header.p_type == libc::PT_LOAD)
        .map(|header| {
            let start = bias.wrapping_add(header.p_vaddr as usize);
            Segment { start, end: start + header.p_memsz as usize, flags: header.p_flags }
        })
        .collect();
    // SAFETY: `find` passed the address of its own `Option<Image>`, and nobody else touches it during the call.
    let found = unsafe { &mut *found.cast::<Option<Image>>() };
    *found = Some(Image { bias, segments });
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Double;

    impl Entry<fn(u32) -> u32> for Double {
        fn enter(f: fn(u32) -> u32, task: &mut dyn Any) {
            let word = task.downcast_mut::<u32>().expect("a u32");
            *word = f(*word);
        }
    }

    impl Entry<fn(u8) -> u8> for Double {
        fn enter(_f: fn(u8) -> u8, _task: &mut dyn Any) {}
    }

    fn twice(x: u32) -> u32 {
        x * 2
    }

    #[test]
    fn function_survives_the_journey() {
        let bytes = ship::<Double, fn(u32) -> u32>(twice).expect("ship").to_bytes();
        let function = Shipped::from_bytes(&bytes).expect("read").resolve().expect("resolve");
        let mut word = 21_u32;
        function.call(&mut word);
        assert_eq!(word, 42);
    }

    #[test]
    fn closure_without_captures_is_a_function() {
        let shipped = ship::<Double, fn(u32) -> u32>(|x| x + 1).expect("ship");
        let mut word = 1_u32;
        shipped.resolve().expect("resolve").call(&mut word);
        assert_eq!(word, 2);
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let mut bytes = ship::<Double, fn(u32) -> u32>(twice).expect("ship").to_bytes();
        bytes[9] ^= 1;
        assert_eq!(Shipped::from_bytes(&bytes), Err(ImageError::Damaged));
    }

    #[test]
    fn distances_of_another_build_are_refused() {
        let right = ship::<Double, fn(u32) -> u32>(twice).expect("ship");
        let code = right.function;
        for wrong in [
            Shipped { descriptor: right.descriptor + 1, ..right },
            Shipped { descriptor: right.descriptor + 8, ..right },
            Shipped { descriptor: u64::MAX - 7, ..right },
            Shipped { descriptor: code & !7, ..right },
            Shipped { function: right.descriptor, ..right },
            Shipped { function: 0xffff_ffff_ffff, ..right },
            Shipped { name: 1, ..right },
        ] {
            assert_eq!(wrong.resolve().err(), Some(ImageError::OtherBuild), "{wrong:?}");
        }
    }

    #[test]
    fn types_are_told_apart() {
        let one = ship::<Double, fn(u32) -> u32>(|x| x).expect("ship");
        let other = ship::<Double, fn(u8) -> u8>(|x| x).expect("ship");
        assert_ne!(one.name, other.name);
        let mixed = Shipped { descriptor: other.descriptor, ..one };
        assert_eq!(mixed.resolve().err(), Some(ImageError::OtherBuild));
    }

    #[test]
    fn function_of_a_library_is_refused() {
        // The C library is a shared one here; a static program has no foreign functions.
        let image = Image::of_program().expect("image");
        let foreign = libc::getpid as unsafe extern "C" fn() -> libc::pid_t as usize;
        assert!(!image.is_code(foreign) || cfg!(target_feature = "crt-static"));
    }

    #[test]
    fn build_of_one_program_is_one() {
        assert_eq!(Build::of_program().expect("build"), Build::of_program().expect("build"));
    }
}
