import type { Detector } from "../kind.ts";
import { exception, literal, type Phrase, phrase, says } from "../phrase.ts";

const page = (name: string, about: string, source: string, phrases: readonly Phrase[]): Detector =>
  phrase(name, "frameworkPages", { about, source, phrases });

/** Pages that frameworks and servers show instead of an answer. */
export const FRAMEWORK_PAGES: readonly Detector[] = [
  page("django-page", "Debug page of Django", "docs.djangoproject.com: DEBUG", [
    says("DEBUG = True", /^DEBUG = True<\/code>/),
    says("Django Version:", /^Django Version:/),
    says("DisallowedHost at /", /^DisallowedHost at \//),
  ]),
  page("werkzeug-page", "Debugger of Werkzeug (Flask)", "werkzeug.palletsprojects.com: debug", [
    says("Werkzeug Debugger", /^Werkzeug Debugger/),
    says("__debugger__", /^__debugger__/),
  ]),
  page("spring-page", "Error page of Spring Boot", "docs.spring.io: error handling", [
    says("Whitelabel Error Page", /^Whitelabel Error Page/),
    exception("org.springframework."),
  ]),
  page(
    "tomcat-page",
    "Error page of Tomcat, Jetty, WebLogic, WebSphere, GlassFish or Struts",
    "tomcat.apache.org: error report valve",
    [
      says("<h3>Apache Tomcat/", /^<h3>Apache Tomcat\/[\d.]+/),
      says("Apache Tomcat/\\d", /^Apache Tomcat\/[\d.]+/),
      says("<title>HTTP Status \\d", /^<title>HTTP Status \d{3} /),
      says("JBWEB0", /^JBWEB\d{6}/),
      says("Powered by Jetty://", /^Powered by Jetty:\/\//),
      says("<b>root cause</b>", /^<b>root cause<\/b>/i),
      says("Error \\d\\d\\d--", /^Error \d{3}--[A-Z][a-z]/),
      says("SRVE\\d\\d\\d\\d", /^SRVE\d{4}[EW]: /),
      says("GlassFish Server ", /^GlassFish Server (?:Open Source )?Edition/),
      literal("Struts Problem Report"),
    ],
  ),
  page("aspnet-page", "Error page of ASP.NET", "learn.microsoft.com: customErrors", [
    says("Server Error in '", /^Server Error in '[^'\n]{1,100}' Application/),
    says("ASP.NET Version:", /^ASP\.NET Version:/),
    says("Microsoft .NET Framework Version:", /^Microsoft \.NET Framework Version:/),
    says("IIS \\d", /^IIS \d+\.\d Detailed Error/),
    says("Microsoft-IIS/\\d", /^Microsoft-IIS\/\d+\.\d/),
    says(
      "An unhandled exception occurred ",
      /^An unhandled exception occurred (?:while processing the request|during the execution)/,
    ),
  ]),
  page(
    "php-page",
    "Page of Laravel, Symfony, another framework of PHP, or phpinfo",
    "laravel.com, symfony.com, php.net",
    [
      says("Whoops, looks like", /^Whoops, looks like something went wrong/),
      says("Whoops! There was an error", /^Whoops! There was an error/),
      says("Symfony Exception", /^Symfony Exception/),
      says("<title>phpinfo\\(\\)", /^<title>phpinfo\(\)/),
      says("Illuminate\\\\", /^Illuminate\\{1,2}[A-Z][A-Za-z\\]{3,80}Exception/),
      says("Ignition\\\\", /^Ignition\\/),
      says("Uncaught PHP Exception ", /^Uncaught PHP Exception [A-Z]\w*\\/),
      literal("A PHP Error was encountered"),
      ...["yii", "Cake", "CodeIgniter", "Symfony", "Twig", "Slim", "Laminas", "GuzzleHttp"].map((space) =>
        says(`${space}\\\\`, new RegExp(`^${space}\\\\{1,4}[A-Za-z][\\w\\\\]{2,120}(?:Exception|Error)`)),
      ),
    ],
  ),
  page("rails-page", "Debug page of Rails, Sinatra, Hanami or their servers", "guides.rubyonrails.org: debugging", [
    says("Action Controller: Exception", /^Action Controller: Exception caught/),
    says("Rails.root: ", /^Rails\.root: /),
    says("ActionController::[A-Z]", /^ActionController::[A-Z]\w+/),
    says("ActionView::Template", /^ActionView::Template::Error/),
    says("Sinatra doesn", /^Sinatra doesn/),
    // Of Sinatra, Rack and Better Errors, 100 KB of frames behind it; Django's has it as well.
    says("<title>[A-Z]", /^<title>(?:[A-Z]\w{0,60}::){0,5}[A-Z]\w{1,60} at \//),
    literal("Rack::ShowExceptions"),
    says("<code>show_exceptions", /^<code>show_exceptions<\/code> setting/),
    literal("Puma caught this error: "),
    literal("Phusion Passenger"),
    says("Hanami::[A-Z]", /^Hanami::[A-Z]\w+/),
  ]),
  page("express-page", "Error page of Express", "expressjs.com: error handling", [
    says("<pre>[A-Z]", /^<pre>(?:[A-Z][a-zA-Z]*)?Error: [^\n]{0,200}?<br> ?&nbsp; ?&nbsp;at /),
    says("<pre>[A-Z]", /^<pre>(?:[A-Z][a-zA-Z]*)?Error: [^\n]{0,200}?<br> {1,8}at /),
  ]),
  page("phoenix-page", "Debug page of Phoenix", "hexdocs.pm: Plug.Debugger", [
    says("Phoenix.[A-Z]", /^Phoenix\.\w+\.\w+Error/),
    says("Plug.[A-Z]", /^Plug\.\w+\.\w+Error/),
  ]),
  page("server-banner", "Banner of a web server or proxy", "nginx.org, httpd.apache.org", [
    says("<center>nginx/\\d", /^<center>nginx\/[\d.]+/),
    says("<center>openresty/\\d", /^<center>openresty\/[\d.]+/),
    says("<address>Apache/", /^<address>Apache\/[\d.]+ [^\n<]{0,120}/),
    says("lighttpd/\\d", /^lighttpd\/\d+\.\d+\.\d+/),
    says("openresty/\\d", /^openresty\/\d+\.\d+/),
    says("Varnish cache server", /^Varnish cache server/),
    says("squid/\\d", /^squid\/\d+\.\d+/),
    literal("Guru Meditation:"),
    literal("Generated by cloudfront (CloudFront)"),
    literal("upstream connect error or disconnect/reset before headers"),
    says("Powered by <a href=", /^Powered by <a href=\\?["']https?:\/\/(?:www\.)?cherrypy/),
  ]),
  page(
    "coldfusion-page",
    "Error page of ColdFusion or classic ASP",
    "helpx.adobe.com/coldfusion; learn.microsoft.com: VBScript errors",
    [
      literal("Error Occurred While Processing Request"),
      says("The error occurred in ", /^The error occurred in (?:[A-Za-z]:|\/)[^\n]{1,200}: ?line \d/),
      says("Microsoft VBScript ", /^Microsoft VBScript (?:runtime|compilation) error/),
    ],
  ),
];
