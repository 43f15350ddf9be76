//! What all proxies with a type have.

/// Makes a struct of a proxy and, if it is generic, a `PhantomData` a [`Typed`](super::Typed) one that is cloned and shown.
/// With `come_near` behind the methods, the object is used in the manager's memory where that can be.
macro_rules! typed {
    ($name:ident $(<$($of:ident),+>)? as $called:literal with $($method:literal),+
        $(; $near:ident)?) => {
        impl $(<$($of),+>)? $crate::client::Typed for $name $(<$($of),+>)? {
            const NAME: &'static str = $called;
            const METHODS: &'static [&'static str] = &[$($method),+];

            fn over(proxy: $crate::client::Proxy) -> Self {
                $(proxy.$near();)?
                Self { proxy, $(_items: std::marker::PhantomData::<typed!(@as $($of),+)>)? }
            }

            fn proxy(&self) -> &$crate::client::Proxy {
                &self.proxy
            }
        }

        impl $(<$($of),+>)? Clone for $name $(<$($of),+>)? {
            fn clone(&self) -> Self {
                $crate::client::Typed::over(self.proxy.clone())
            }
        }

        impl $(<$($of),+>)? std::fmt::Debug for $name $(<$($of),+>)? {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.debug_tuple(stringify!($name)).field(&self.proxy).finish()
            }
        }
    };
    (@as $one:ident) => { fn($one) -> $one };
    (@as $one:ident, $two:ident) => { fn() -> ($one, $two) };
}

pub(super) use typed;
