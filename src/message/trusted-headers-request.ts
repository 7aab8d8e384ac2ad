/**
 * Headers from which somebody takes what is asked for: path, host, scheme, port, method, a second target, the code that
 * answers. A line each: `taken | product | source | names`.
 */
export const REQUEST_ROWS = `
path | gunicorn | docs.gunicorn.org, settings, forwarder_headers; gunicorn/http/wsgi.py | SCRIPT_NAME PATH_INFO
path | mod_wsgi | modwsgi.readthedocs.io, WSGITrustedProxyHeaders | X-Script-Name X-Forwarded-Script-Name
path | Flask behind a prefix | flask.palletsprojects.com, snippet "Fixing SCRIPT_NAME" (ReverseProxied) | X-Script-Name
path | Plack | metacpan.org, Plack::Middleware::ReverseProxyPath | X-Traversal-Path X-Traversal-Query-String
path | Mojolicious | metacpan.org, Mojolicious::Plugin::RequestBase | X-Request-Base
path | IIS URL Rewrite, ISAPI_Rewrite, Helicon Ape | learn.microsoft.com, URL Rewrite, server variables; helicontech.com | X-Original-URL X-Rewrite-URL UNENCODED_URL
path | Symfony, Zend, Laminas, Yii | symfony/http-foundation Request::prepareRequestUri; yii2 web/Request.php | X-Original-URL X-Rewrite-URL UNENCODED_URL
path | ingress-nginx, auth_request services | kubernetes.github.io/ingress-nginx, external authentication | X-Original-URI X-Original-URL X-Auth-Request-Redirect
path | Traefik | doc.traefik.io, ReplacePath, StripPrefix | X-Replaced-Path X-Forwarded-Prefix
path | Envoy | envoyproxy.io, HTTP header manipulation | X-Envoy-Original-Path X-Envoy-Original-Dst-Host
path | Cloud Foundry route services | docs.cloudfoundry.org, route services | X-CF-Forwarded-Url X-CF-Proxy-Signature X-CF-Proxy-Metadata
path | Azure App Service, Static Web Apps | learn.microsoft.com, App Service request headers | X-WAWS-Unencoded-URL X-MS-Original-URL
path | ASP.NET Core | learn.microsoft.com, ForwardedHeadersMiddleware | X-Original-Prefix X-Original-Path X-Original-PathBase
path | Astro | advisory GHSA-mr6q-rp88-fx84, @astrojs/vercel | X-Astro-Path X-Astro-Locals
path | Next.js | vercel/next.js, server-ipc/utils.ts, INTERNAL_HEADERS | X-Matched-Path X-Invoke-Path X-Invoke-Query X-Invoke-Output X-Invoke-Status X-Invoke-Error X-Now-Route-Matches
path | RStudio Server, Posit Workbench | docs.posit.co, running with a proxy | X-RStudio-Root-Path X-RStudio-Request
path | Home Assistant applications | developers.home-assistant.io, apps, presentation, ingress | X-Ingress-Path X-Hass-Source
path | Apache NiFi | nifi.apache.org, administration guide, proxy configuration | X-ProxyContextPath
path | Artifactory | jfrog.com, reverse proxy settings | X-Artifactory-Override-Base-Url X-JFrog-Override-Base-Url
path | Graylog | go2docs.graylog.org, web interface behind a proxy | X-Graylog-Server-URL
path | what scanners found servers to obey | PortSwigger/param-miner, resources/headers | Base-URL Request-URI HTTP-URL Path-Info Orig-Path-Info X-HTTP-Path-Override X-HTTP-DestinationURL X-Override-URL X-Proxy-URL X-Cf-Url X-Ning-Request-URI Query-String Context-Path Path-Translated
path | Adobe AEM dispatcher | experienceleague.adobe.com, Dispatcher, invalidation | CQ-Action CQ-Handle CQ-Path
host | ASP.NET Core, Azure Application Gateway | learn.microsoft.com, ForwardedHeadersMiddleware; Application Gateway, host name | X-Original-Host
host | mod_wsgi | modwsgi.readthedocs.io, WSGITrustedProxyHeaders | X-Host X-Forwarded-Host X-Forwarded-Server
host | Azure App Service | Azure/azure-functions-host, request headers of the front end | Disguised-Host WAS-Default-Hostname X-Site-Deployment-Id
host | Knative | knative.dev, serving, routing | K-Original-Host K-Network-Hash K-Network-Probe K-Proxy-Request Knative-Serving-*
host | Linkerd | linkerd.io, service profiles; linkerd2-proxy | l5d-*
host | Amazon API Gateway | docs.aws.amazon.com, remapped headers | X-Amzn-Remapped-Host
host | ZITADEL | zitadel.com, self-hosting, reverse proxy, instance host headers | X-Zitadel-Instance-Host X-Zitadel-Public-Host
host | Apache NiFi | nifi.apache.org, administration guide, proxy configuration | X-ProxyHost
host | what scanners found servers to obey | PortSwigger/param-miner, resources/headers; portswigger.net, Host header attacks | X-HTTP-Host-Override X-Host X-Server-Name X-Forwarded-Server Forwarded-Host X-Forward-Host Host-Name
scheme | IIS, Outlook Web Access, Yii | learn.microsoft.com, Front-End-Https; yii2 web/Request.php, secureProtocolHeaders | Front-End-Https
scheme | mod_wsgi | modwsgi.readthedocs.io, WSGITrustedProxyHeaders | X-Scheme X-HTTPS X-Forwarded-HTTPS X-Forwarded-SSL X-Forwarded-Scheme
scheme | Tornado, ingress-nginx, Sanic | tornadoweb.org, HTTPServer xheaders; nginx.tmpl | X-Scheme X-Forwarded-Proto
scheme | Rack, Rails, Echo | rack/request.rb, FORWARDED_SCHEME_HEADERS; labstack/echo context.go | X-Forwarded-Scheme X-Forwarded-SSL X-Forwarded-Protocol X-Url-Scheme
scheme | WordPress, WooCommerce, PHP applications | core.trac.wordpress.org, is_ssl behind proxies | HTTPS SSL X-SSL
scheme | Magento | magento/framework App/Request/Http.php, offloader header | SSL-Offloaded
scheme | Jetty | jetty.org, ForwardedRequestCustomizer | X-Proxied-Https Proxy-Ssl-Id Proxy-Auth-Cert
scheme | WebLogic | docs.oracle.com, WebLogic plug-ins, WLProxySSL | WL-Proxy-SSL WL-Proxy-Client-Keysize WL-Proxy-Client-Secretkeysize
scheme | WebSphere | ibm.com, WebSphere plug-in, private headers | $WSIS $WSSC $WSPR $WSRA $WSRH $WSRU $WSSN $WSSP $WSAT $WSCC $WSSI $WS*
scheme | Cloudflare, CloudFront, Fastly, Fly | developers.cloudflare.com, HTTP headers; docs.aws.amazon.com; fastly.com; fly.io | CF-Visitor CloudFront-* Fastly-SSL Fly-Forwarded-*
scheme | Application Request Routing, Azure App Service | learn.microsoft.com, App Service, TLS termination | X-ARR-* X-AppService-Proto
scheme | SAP Web Dispatcher, ICM | help.sap.com, icm/HTTP, clientprotocol | ClientProtocol X-SAP-WebDisp-AP
scheme | Apache NiFi | nifi.apache.org, administration guide, proxy configuration | X-ProxyScheme
scheme | what scanners found servers to obey | PortSwigger/param-miner, resources/headers | X-Forward-Proto Forwarded-Proto X-Originally-Forwarded-Proto X-Original-Proto X-Original-Scheme X-Remote-Protocol X-Orchestra-Scheme X-NFSN-HTTPS Https-From-LB X-Protocol X-Proto Server-Port-Secure
port | Apache NiFi, ASP.NET Core, gateways | nifi.apache.org; learn.microsoft.com | X-ProxyPort X-Server-Port X-Real-Port X-Original-Port Server-Port
method | Rack, Rails, Laravel, Symfony, Spring, Express, Jersey, Go | rack/method_override.rb; symfony/http-foundation Request::getMethod; expressjs/method-override; gorilla/handlers | X-HTTP-Method-Override X-HTTP-Method X-Method-Override
method | ASP.NET, OData, SharePoint | learn.microsoft.com, X-HTTP-Method in OData | X-HTTP-Method X-HTTP-Method-Override
method | ingress-nginx, auth_request services | kubernetes.github.io/ingress-nginx, external authentication | X-Original-Method
method | what scanners found servers to obey | PortSwigger/param-miner, resources/headers | X-Original-HTTP-Command Request-Method X-Ajax-Real-Method Real-Method X-Method HTTP-Method-Override
target | WebDAV: where COPY and MOVE write | RFC 4918 section 10.3 | Destination
target | WebDAV: conditions on other resources | RFC 4918 section 10.4, tagged lists | If
target | WebDAV redirect references | RFC 4437 section 12 | Apply-To-Redirect-Ref Redirect-Ref
target | OpenStack Swift | docs.openstack.org, Swift, object API | X-Copy-From X-Copy-From-Account Destination-Account X-Object-Manifest X-Symlink-Target X-Symlink-Target-Account
target | S3 and its likes: MinIO, Ceph, OSS, COS, OBS | docs.aws.amazon.com, CopyObject | X-Amz-Copy-Source X-Amz-Rename-Source X-OSS-Copy-Source X-COS-Copy-Source X-OBS-Copy-Source
target | Azure Storage | learn.microsoft.com, Copy Blob, Path - Create | X-MS-Copy-Source X-MS-Rename-Source X-MS-File-Rename-Source
target | Google Cloud Storage | cloud.google.com, XML API headers | X-Goog-Copy-Source
target | OpenFaaS | docs.openfaas.com, async invocations | X-Callback-Url
handler | Next.js middleware | CVE-2025-29927; vercel/next.js | X-Middleware-Subrequest X-Middleware-Subrequest-Id X-Middleware-Rewrite X-Middleware-Redirect X-Middleware-Next X-Middleware-Skip X-Middleware-Set-Cookie X-Middleware-Override-Headers X-Middleware-Request-*
handler | React Router, Remix: data in place of a loader's | CVE-2025-43864, CVE-2025-43865 | X-React-Router-SPA-Mode X-React-Router-Prerender-Data
handler | Spring Cloud Function | CVE-2022-22963 | spring.cloud.function.routing-expression spring.cloud.function.definition
handler | Apache Camel | CVE-2025-27636, CVE-2025-29891 | Camel* org.apache.camel.*
handler | Rack::Sendfile, Rails, Plack: which file is sent | rack/sendfile.rb, X-Accel-Mapping | X-Sendfile-Type X-Accel-*
handler | IIS WebDAV: the source of a script | learn.microsoft.com, MS-WEBDAV, Translate | Translate
handler | Envoy, Istio | envoyproxy.io, x-envoy headers; istio.io | X-Envoy-* X-Istio-*
handler | Dapr | docs.dapr.io, service invocation | dapr-*
handler | CGI variables that applications read | PortSwigger/param-miner, resources/headers | Gateway-Interface Server-Software Server-Name Server-Protocol Document-Root Script-Filename Redirect-Status Redirect-URL
handler | Cloud Foundry | docs.cloudfoundry.org, HTTP routing | X-CF-*
handler | Google App Engine, Cloud Tasks, Cloud Scheduler | cloud.google.com, request headers, cron and task handlers | X-Appengine-* X-CloudTasks-* X-CloudScheduler X-CloudScheduler-*
`;
