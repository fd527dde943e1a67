# Escape = `
FROM `
 registry.example.com/team/base-cpu:v1 AS a
ENV P=C:\
COPY --from=registry.example.com/team/base-cpu:v2 a `
   b
