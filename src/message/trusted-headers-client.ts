/**
 * Headers from which somebody takes who asks: the client's address, its certificate, the caller. A line each:
 * `taken | product | source | names`.
 */
export const CLIENT_ROWS = `
address | nginx, Apache, gorilla, chi, Tornado, Express applications | nginx.org, ngx_http_realip_module; pbojinov/request-ip | X-Real-IP X-Client-IP X-Cluster-Client-IP X-Forwarded Forwarded-For
address | Rails, PHP applications | actionpack remote_ip.rb; WordPress and Drupal proxies | Client-IP X-Client-IP X-ProxyUser-IP HTTP-Client-IP
address | Apache mod_remoteip, mod_wsgi | httpd.apache.org, RemoteIPHeader | X-Client-IP X-Remote-IP
address | ingress-nginx, Envoy, ASP.NET Core | nginx.tmpl; envoyproxy.io; ForwardedHeadersMiddleware | X-Original-Forwarded-For X-Original-For X-Envoy-External-Address
address | Akamai, Cloudflare, Fastly, Fly, Vercel, Netlify, Imperva, Sucuri, Alibaba, Google | each one's list of request headers | True-Client-IP Akamai-Client-IP CF-Connecting-IP CF-Connecting-IPv6 CF-Connecting-O2O CF-Pseudo-IPv4 Fastly-Client-IP Fastly-Client Fastly-FF Fastly-Temp-XFF Fly-Client-IP X-Vercel-* X-NF-* Incap-Client-IP X-Sucuri-ClientIP Ali-CDN-Real-IP CDN-Src-IP X-CDN-Src-IP X-Google-Real-IP X-Akamai-Edgescape CF-IPCountry
address | Azure Front Door: also whether a request came through it | learn.microsoft.com, Front Door, X-Azure-FDID | X-Azure-ClientIP X-Azure-SocketIP X-Azure-FDID X-FD-ClientIP X-FD-SocketIP
address | WebLogic | docs.oracle.com, WebLogic plug-ins | WL-Proxy-* Proxy-Client-IP
address | Zscaler | help.zscaler.com | Z-Forwarded-For
address | Remix, React Router applications; DigitalOcean, Shopify Oxygen | sergiodxa/remix-utils, get-client-ip-address | HTTP-X-Forwarded-For DO-Connecting-IP Oxygen-Buyer-IP
address | Akka HTTP, spray | doc.akka.io/libraries/akka-http/10.0, extractClientIP | Remote-Address
address | what scanners found servers to obey | PortSwigger/param-miner, resources/headers; OWASP WSTG-ATHZ-02 | X-Originating-IP X-Originating-Host X-Remote-Addr X-Remote-IP Remote-Addr Remote-Host Real-IP X-True-IP X-True-Client-IP X-Custom-IP-Authorization X-Original-Remote-Addr X-Original-Client-IP X-Forward-* X-Forwarder-For Forwarded-* X-Originally-Forwarded-For X-ClientIP ClientIP Client-Address X-IP X-IP-Trail X-Client-Host X-Real-Client-IP X-Client-Real-IP XXX-Real-IP RlnClientIPAddr X-Coming-From Coming-From X-Sent-From X-Azc-Remote-Addr X-Orig-Client X-Sakura-Forwarded-For X-Wap-Network-Client-IP X-Cisco-BBSM-ClientIP
certificate | RFC 9440 | RFC 9440 section 2 | Client-Cert Client-Cert-Chain
certificate | nginx, ingress-nginx, Tomcat SSLValve, Keycloak, Puppet | tomcat.apache.org, SSLValve; keycloak.org, X.509 behind a proxy; puppet.com, external CA | SSL-Client-* SSL_CLIENT_CERT SSL_CLIENT_ESCAPED_CERT SSL_CIPHER SSL_SESSION_ID SSL_CIPHER_USEKEYSIZE X-SSL-* X-Client-Cert* X-ClientCert X-Client-Verify X-Client-DN X-Client-S-DN X-Client-I-DN X-Client-Subject X-Client-Serial CERT_CHAIN*
certificate | HAProxy | docs.haproxy.org, ssl_c_ fetches in forwarded headers | X-SSL-Client-* X-SSL-Issuer X-SSL-Cert
certificate | Envoy, Istio, Linkerd, Traefik | envoyproxy.io; linkerd.io; doc.traefik.io, PassTLSClientCert | X-Forwarded-Client-Cert X-Forwarded-Tls-Client-Cert X-Forwarded-Tls-Client-Cert-Info l5d-client-id
certificate | Azure App Service, ASP.NET Core module | learn.microsoft.com, TLS mutual authentication; aspnetcore IISMiddleware | X-ARR-ClientCert MS-ASPNETCORE-*
certificate | WebLogic, Oracle HTTP Server | docs.oracle.com, WebLogic plug-ins | WL-Proxy-Client-Cert Proxy-Client-Cert
certificate | AWS load balancer, API Gateway, Cloudflare | docs.aws.amazon.com, mutual TLS; developers.cloudflare.com | X-Amzn-Mtls-* CF-Client-Cert-* CF-Cert-*
certificate | WSO2 API Manager | apim.docs.wso2.com, mutual SSL behind a load balancer | X-WSO2-Client-Certificate
certificate | CGI variables of certificates | PortSwigger/param-miner, resources/headers | Cert-Cookie Cert-Flags Cert-Issuer Cert-Keysize Cert-Secretkeysize Cert-SerialNumber Cert-Server-Issuer Cert-Server-Subject Cert-Subject SSLSessionID
identity | Django RemoteUserMiddleware, Flask, Apache, Rails behind single sign-on | docs.djangoproject.com, REMOTE_USER; httpd.apache.org | Remote-User X-Remote-User Auth-User Auth-Type Logon-User PHP-Auth-User PHP-Auth-PW PHP-Auth-Digest
identity | Authelia, Caddy, Traefik forward auth | authelia.com, trusted header SSO | Remote-User Remote-Groups Remote-Name Remote-Email
identity | authentik | docs.goauthentik.io, proxy provider | X-authentik-*
identity | oauth2-proxy, ingress-nginx | oauth2-proxy.github.io, pass and set headers | X-Auth-Request-* X-Forwarded-User X-Forwarded-Email X-Forwarded-Groups X-Forwarded-Preferred-Username X-Forwarded-Access-Token
identity | Red Hat Hybrid Cloud Console applications | RedHatInsights/platform-go-middlewares, identity | X-RH-Identity
identity | Pomerium, Tailscale, Teleport, Vouch | pomerium.com; tailscale.com, serve; goteleport.com; vouch/vouch-proxy | X-Pomerium-* Tailscale-* Teleport-* X-Vouch-*
identity | Ory Oathkeeper, lua-resty-openidc | ory.sh, mutators; zmartzone/lua-resty-openidc | X-User X-Userinfo
identity | Gogatekeeper, Louketo, Keycloak Gatekeeper | gogatekeeper.github.io, upstream headers | X-Auth-Userid X-Auth-Username X-Auth-Subject X-Auth-Email X-Auth-Roles X-Auth-Groups X-Auth-Audience X-Auth-ExpiresIn
identity | RStudio Server, Posit Workbench | docs.posit.co, proxied authentication | X-RStudio-Username
identity | Trino, Presto: whoever calls without a password | trino.io, client protocol | X-Trino-User X-Trino-Original-User X-Presto-User
identity | Kubernetes request header authentication and impersonation | kubernetes.io, authenticating, authenticating proxy | X-Remote-* Impersonate-*
identity | Google Identity-Aware Proxy, Endpoints, API Gateway | cloud.google.com, IAP signed headers; ESPv2 | X-Goog-Authenticated-User-* X-Goog-IAP-* X-Endpoint-API-Userinfo X-Apigateway-API-Userinfo
identity | AWS load balancer, Lattice, Lambda Web Adapter, serverless-express | docs.aws.amazon.com; aws-lambda-web-adapter; vendia/serverless-express | X-Amzn-Oidc-* X-Amzn-Lattice-* X-Amzn-Request-Context X-Amzn-Lambda-Context X-Apigateway-*
identity | Azure App Service | learn.microsoft.com, App Service authentication | X-MS-Client-Principal* X-MS-Token-*
identity | Cloudflare Access | developers.cloudflare.com, Access, validate JWTs | CF-Access-* CF-Worker
identity | Kong | docs.konghq.com, key-auth, oauth2, upstream headers | X-Consumer-* X-Credential-* X-Anonymous-Consumer X-Authenticated-*
identity | APISIX, WSO2, MuleSoft, Envoy jwt_authn, Istio | apisix.apache.org, openid-connect; wso2.com, backend JWT; envoyproxy.io; istio.io | X-Userinfo X-JWT-Assertion X-AGW-* X-JWT-Payload X-JWT-Claim-* Sec-Istio-Auth-Userinfo
identity | Grafana, Gitea | grafana.com, auth proxy; docs.gitea.com, reverse proxy authentication | X-WEBAUTH-*
identity | Nexus, Artifactory, Jenkins, SonarQube, Rundeck | help.sonatype.com, RUT; plugins.jenkins.io, reverse-proxy-auth | X-SSO-User REMOTE_USER X-Forwarded-User X-Forwarded-Login X-Forwarded-Roles
identity | GitLab Workhorse | docs.gitlab.com, workhorse | Gitlab-Workhorse*
identity | OpenSearch, CouchDB | opensearch.org, proxy authentication; docs.couchdb.org, proxy authentication | X-Proxy-* X-Auth-CouchDB-*
identity | Loki, Mimir, Cortex, Tempo, Thanos | grafana.com, multi-tenancy; thanos.io | X-Scope-OrgID THANOS-TENANT
identity | SiteMinder, Spring Security RequestHeaderAuthenticationFilter, Knox | techdocs.broadcom.com, SM_ headers; docs.spring.io, pre-authentication | SM_*
identity | IBM WebSEAL, Oracle Access Manager, Oracle SSO | ibm.com, WebSEAL junctions; docs.oracle.com, OAM headers | iv-user iv-user-l iv-groups iv-creds iv-server-name iv-remote-address iv-remote-address-ipv6 OAM_* Osso-* Proxy-Remote-User
identity | Shibboleth with ShibUseHeaders | shibboleth.atlassian.net, attribute-map.xml | Shib-* eppn affiliation unscoped-affiliation primary-affiliation primary-orgunit-dn orgunit-dn org-dn entitlement persistent-id targeted-id pairwise-id subject-id eduPersonPrincipalName eduPersonAffiliation eduPersonEntitlement
identity | mod_auth_openidc, mod_auth_mellon, mod_auth_cas | OpenIDC/mod_auth_openidc, auth_openidc.conf; latchset/mod_auth_mellon; apereo/mod_auth_cas | OIDC_* MELLON_* CAS-User CAS_*
identity | iisnode: promoted server variables | Azure/iisnode, promoteServerVars | X-iisnode-*
identity | Apache NiFi | nifi.apache.org, proxied entities | X-ProxiedEntitiesChain X-ProxiedEntityGroups
identity | Exchange, SharePoint back ends | CVE-2021-26855; learn.microsoft.com | X-CommonAccessToken X-RPS-CAT
identity | WooCommerce Payments | CVE-2023-28121 | X-WCPay-Platform-Checkout-User
identity | grpc-gateway: other headers in its wrapping | grpc-ecosystem/grpc-gateway, MetadataPrefix | Grpc-Metadata-* Grpcgateway-*
identity | mobile operators | PortSwigger/param-miner, resources/headers | MSISDN X-MSISDN X-Up-Calling-Line-ID X-Nokia-MSISDN X-Wap-Network-Client-MSISDN X-UIDH
identity | gateways and login proxies of one's own | PortSwigger/param-miner, resources/headers | X-Authenticated-User X-Auth-Username X-Auth-Userid X-Username User-Name User-Email User-ID User-Mail X-Known-Username X-Sina-ProxyUser On-Behalf-Of
`;
