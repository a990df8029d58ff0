# The release image: one static binary and nothing else.
#   cargo build --release --target x86_64-unknown-linux-musl
#   docker build -t ferrolb:0.1.0 .
FROM scratch
COPY target/x86_64-unknown-linux-musl/release/ferrolb /ferrolb
USER 65532:65532
ENTRYPOINT ["/ferrolb"]
